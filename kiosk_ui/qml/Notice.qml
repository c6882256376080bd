// Something is told: what happened and what to do next.
import QtQuick
import QtQuick.Layouts
import "."

Card {
    id: card
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    ColumnLayout {
        anchors { fill: parent; margins: 48 * Theme.u }
        spacing: Theme.gap
        Item { Layout.fillHeight: true }
        Sign { tone: card.screen.tone; Layout.alignment: Qt.AlignHCenter; visible: card.screen.tone !== "plain" }
        Txt { objectName: "headline"; text: card.screen.headline; size: Theme.big; bold: true; horizontalAlignment: Text.AlignHCenter; Layout.fillWidth: true }
        Txt { text: card.screen.detail; size: 30 * Theme.u; color: Theme.faint; horizontalAlignment: Text.AlignHCenter; Layout.fillWidth: true; visible: text !== "" }
        Rectangle {
            visible: card.screen.scene === "still_there"
            Layout.fillWidth: true
            Layout.preferredHeight: 16 * Theme.u
            radius: height / 2
            color: Theme.mist
            border { width: 2 * Theme.u; color: Theme.line }
            Rectangle { width: parent.width * card.kiosk.live.left; height: parent.height; radius: height / 2; color: Theme.ringLamp }
            Accessible.role: Accessible.ProgressBar
            Accessible.name: card.screen.detail
        }
        Item { Layout.fillHeight: true }
        Answers { kiosk: card.kiosk; Layout.alignment: Qt.AlignHCenter; Layout.preferredWidth: parent.width * 0.6 }
    }
}
