// A button for the mouse and the keyboard of the reception: smaller than what a patient presses.
import QtQuick
import "."

Btn {
    readonly property bool compact: true
    size: Theme.small
    pad: 8 * Theme.u
    implicitHeight: Math.max(48 * Theme.u, implicitContentHeight + 12 * Theme.u)
    implicitWidth: implicitContentWidth + 12 * Theme.u
    onDoubleClicked: { }   // takes the second click away: what it would hit may be something else by now
}
