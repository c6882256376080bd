// What is pressed: at least 20 mm high, with a frame when the keyboard is on it. weight: primary, secondary or quiet.
import QtQuick
import QtQuick.Controls.Basic
import "."

AbstractButton {
    id: control
    property string weight: "secondary"
    property bool onNight: false
    property real pad: 14 * Theme.u
    readonly property string kind: "Btn"
    property real size: Theme.text
    implicitHeight: Math.max(Theme.touch, label.implicitHeight + 20 * Theme.u)
    implicitWidth: Math.max(Theme.touch, label.implicitWidth + 56 * Theme.u)
    activeFocusOnTab: true
    focusPolicy: Qt.StrongFocus
    Accessible.role: Accessible.Button
    Accessible.name: text
    Keys.onReturnPressed: clicked()
    Keys.onEnterPressed: clicked()
    contentItem: Txt {
        id: label
        text: control.text
        size: control.size
        strong: true
        color: control.weight === "primary" ? Theme.paper : control.onNight ? Theme.groundText : Theme.ink
        opacity: control.enabled ? 1 : 0.45
        horizontalAlignment: Text.AlignHCenter
        verticalAlignment: Text.AlignVCenter
        leftPadding: control.pad
        rightPadding: control.pad
        Accessible.ignored: true
    }
    background: Rectangle {
        radius: Theme.round
        color: control.weight === "primary" ? (control.down ? Theme.goodDown : Theme.good)
             : control.onNight ? (Theme.lamp ? (control.down ? Theme.mist : Theme.paper) : (control.down ? "#ff3a4a61" : "#ff1d2b41"))
             : control.down ? Theme.mist : Theme.paper
        opacity: control.enabled ? 1 : 0.6
        border {
            width: control.activeFocus ? 5 * Theme.u : control.weight === "primary" ? 0 : 2 * Theme.u
            color: control.activeFocus ? (control.onNight && !Theme.lamp ? Theme.focus : Theme.focusLight)
                 : control.onNight && !Theme.lamp ? "#ff8ea2ba" : Theme.line
        }
    }
}
