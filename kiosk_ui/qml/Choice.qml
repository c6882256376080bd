// One of several coded answers.
import QtQuick
import QtQuick.Controls.Basic
import "."

ComboBox {
    id: box
    property var choices: []
    property string prompt: ""
    required property string label    // what is asked, for who hears it
    readonly property string code: currentIndex >= 0 && currentIndex < choices.length ? choices[currentIndex].code : ""
    model: choices.map(each => each.text)
    currentIndex: -1
    displayText: currentIndex < 0 ? prompt : currentText
    font { family: Theme.font; pixelSize: Math.round(Theme.small) }
    implicitHeight: 48 * Theme.u
    Accessible.name: label
    contentItem: Txt { text: box.displayText; size: Theme.small; color: box.currentIndex < 0 ? Theme.faint : Theme.ink; verticalAlignment: Text.AlignVCenter; leftPadding: 14 * Theme.u; elide: Text.ElideRight; maximumLineCount: 1; wrapMode: Text.NoWrap }
    background: Rectangle {
        radius: 10 * Theme.u
        color: Theme.paper
        border { width: box.activeFocus ? 3 * Theme.u : 1.5 * Theme.u; color: box.activeFocus ? Theme.focusLight : Theme.line }
    }
}
