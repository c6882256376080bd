// One line to type into.
import QtQuick
import QtQuick.Controls.Basic
import "."

TextField {
    id: field
    font { family: Theme.font; pixelSize: Math.round(Theme.small) }
    color: Theme.ink
    placeholderTextColor: Theme.faint
    implicitHeight: 48 * Theme.u
    leftPadding: 14 * Theme.u
    selectByMouse: true
    Accessible.name: placeholderText
    background: Rectangle {
        radius: 10 * Theme.u
        color: Theme.paper
        border { width: field.activeFocus ? 3 * Theme.u : 1.5 * Theme.u; color: field.activeFocus ? Theme.focusLight : Theme.line }
    }
}
