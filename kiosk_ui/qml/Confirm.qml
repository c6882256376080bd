// One service, one question.
import QtQuick
import QtQuick.Layouts
import "."

Card {
    id: card
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    ColumnLayout {
        anchors { fill: parent; margins: 40 * Theme.u }
        spacing: 14 * Theme.u
        RowLayout {
            spacing: Theme.gap
            Sign { tone: "good"; Layout.preferredWidth: 64 * Theme.u; Layout.preferredHeight: 64 * Theme.u }
            Txt { objectName: "greeting"; text: card.screen.headline; size: Theme.big; bold: true; Layout.fillWidth: true }
        }
        Txt { text: card.screen.detail; color: Theme.faint; Layout.fillWidth: true }
        Rectangle {
            Layout.fillWidth: true
            Layout.fillHeight: true
            radius: Theme.round
            color: Theme.mist
            ColumnLayout {
                anchors { fill: parent; margins: 24 * Theme.u }
                spacing: 6 * Theme.u
                Item { Layout.fillHeight: true }
                Txt {
                    objectName: "service"; text: card.screen.service; size: Theme.title; strong: true; Layout.fillWidth: true
                    maximumLineCount: 3; elide: Text.ElideRight
                }
                Txt { text: card.screen.place; color: Theme.faint; Layout.fillWidth: true }
                Item { Layout.fillHeight: true }
            }
        }
        Answers { kiosk: card.kiosk; Layout.fillWidth: true }
    }
}
