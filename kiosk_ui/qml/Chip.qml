// What became of a service: words on a tinted ground.
import QtQuick
import "."

Rectangle {
    property string text: ""
    property string tone: "plain"
    radius: height / 2
    implicitHeight: 32 * Theme.u
    implicitWidth: words.implicitWidth + 28 * Theme.u
    color: tone === "good" ? Theme.goodTint : tone === "bad" ? Theme.badTint : tone === "attention" ? Theme.attentionTint : Theme.mist
    Txt {
        id: words
        anchors.centerIn: parent
        text: parent.text
        size: 16 * Theme.u
        strong: true
        wrapMode: Text.NoWrap
        color: parent.tone === "good" ? Theme.goodDown : parent.tone === "bad" ? Theme.badDown : parent.tone === "attention" ? Theme.attentionDown : Theme.ink
    }
}
