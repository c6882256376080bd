// Up to four services, the next one first; the whole card is the button.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import "."

Card {
    id: card
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    ColumnLayout {
        anchors { fill: parent; margins: 28 * Theme.u }
        spacing: 14 * Theme.u
        Txt { text: card.screen.headline; size: Theme.big; bold: true; Layout.fillWidth: true }
        Txt { text: card.screen.detail; color: Theme.faint; Layout.fillWidth: true; visible: text !== "" }
        GridLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            columns: card.kiosk.buttons.choices.length > 2 ? 2 : 1
            columnSpacing: Theme.gap
            rowSpacing: Theme.gap
            Repeater {
                model: card.kiosk.buttons.choices
                Btn {
                    id: choice
                    required property var modelData
                    required property int index
                    objectName: "choice-" + index
                    Layout.fillWidth: true
                    Layout.fillHeight: true
                    Layout.preferredWidth: 1
                    text: modelData.name + "\n" + modelData.place
                    Accessible.name: modelData.name + ", " + modelData.place
                    onClicked: card.kiosk.answer(modelData.intent, modelData.service)
                    contentItem: ColumnLayout {
                        spacing: 4 * Theme.u
                        Item { Layout.fillHeight: true }
                        Txt {
                            text: choice.modelData.name; strong: true; size: 28 * Theme.u; Layout.fillWidth: true
                            leftPadding: Theme.gap; rightPadding: Theme.gap; maximumLineCount: 3; elide: Text.ElideRight
                        }
                        Txt { text: choice.modelData.place; color: Theme.faint; size: 22 * Theme.u; Layout.fillWidth: true; leftPadding: Theme.gap; rightPadding: Theme.gap }
                        Item { Layout.fillHeight: true }
                    }
                }
            }
        }
        Answers { kiosk: card.kiosk; all: true; Layout.fillWidth: true }
    }
}
