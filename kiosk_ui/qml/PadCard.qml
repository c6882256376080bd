// Twelve large keys for who checks in without a face. What is typed is hidden but for its end.
import QtQuick
import QtQuick.Layouts
import "."

Card {
    id: card
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    focus: visible
    Keys.onPressed: event => {
        if (event.key >= Qt.Key_0 && event.key <= Qt.Key_9) { card.kiosk.digit(String(event.key - Qt.Key_0)); event.accepted = true }
        else if (event.key === Qt.Key_Backspace) { card.kiosk.erase(); event.accepted = true }
        else if ((event.key === Qt.Key_Return || event.key === Qt.Key_Enter) && card.kiosk.typed.complete) { card.kiosk.next(); event.accepted = true }
    }
    RowLayout {
        anchors { fill: parent; margins: 32 * Theme.u }
        spacing: 32 * Theme.u
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            spacing: 14 * Theme.u
            Txt { objectName: "padTitle"; text: card.kiosk.typed.title; size: 34 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: card.kiosk.typed.scan; color: Theme.faint; size: 22 * Theme.u; Layout.fillWidth: true; visible: text !== "" }
            Rectangle {
                Layout.fillWidth: true
                Layout.preferredHeight: 84 * Theme.u
                radius: Theme.round
                color: Theme.mist
                border { width: 2 * Theme.u; color: Theme.line }
                Txt { objectName: "padTyped"; anchors.centerIn: parent; text: card.kiosk.typed.typed; size: 32 * Theme.u; strong: true; font.letterSpacing: 2 * Theme.u }
            }
            Txt { objectName: "padError"; text: card.kiosk.typed.error; color: Theme.bad; strong: true; Layout.fillWidth: true; visible: text !== "" }
            Item { Layout.fillHeight: true }
            Btn { objectName: "key-no-code"; visible: card.kiosk.typed.coding; text: card.kiosk.typed.noCode; Layout.fillWidth: true; onClicked: card.kiosk.withoutCode() }
            Answers { kiosk: card.kiosk; all: true; Layout.fillWidth: true }
        }
        GridLayout {
            Layout.fillHeight: true
            Layout.fillWidth: false
            Layout.preferredWidth: 3 * Theme.touch * 1.5
            columns: 3
            rowSpacing: 12 * Theme.u
            columnSpacing: 12 * Theme.u
            Repeater {
                model: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "next"]
                Btn {
                    required property string modelData
                    readonly property bool erases: modelData === ""
                    readonly property bool goes: modelData === "next"
                    objectName: "key-" + (erases ? "erase" : modelData)
                    Layout.fillWidth: true
                    Layout.fillHeight: true
                    Layout.preferredWidth: 1
                    weight: goes ? "primary" : "secondary"
                    enabled: !goes || card.kiosk.typed.complete
                    size: erases || goes ? Theme.small : 34 * Theme.u
                    text: erases ? card.kiosk.typed.erase : goes ? card.kiosk.typed.next : modelData
                    onClicked: erases ? card.kiosk.erase() : goes ? card.kiosk.next() : card.kiosk.digit(modelData)
                }
            }
        }
    }
}
