// Text of every window: wraps instead of being cut, and says what it is to a screen reader.
import QtQuick
import "."

Text {
    readonly property string kind: "Txt"
    property real size: Theme.text
    property bool bold: false
    property bool strong: false
    font { family: Theme.font; pixelSize: Math.round(size); weight: bold ? Font.Bold : strong ? Font.DemiBold : Font.Normal }
    color: Theme.ink
    wrapMode: Text.WordWrap
    textFormat: Text.PlainText
    Accessible.role: Accessible.StaticText
    Accessible.name: text
    Accessible.ignored: text === ""
}
