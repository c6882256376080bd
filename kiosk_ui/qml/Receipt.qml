// The proof, to take along: number, room and a code that proves the visit without any network.
import QtQuick
import QtQuick.Layouts
import Keldim.Native
import "."

Card {
    id: card
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    RowLayout {
        anchors { fill: parent; margins: 40 * Theme.u }
        spacing: 36 * Theme.u
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            spacing: 12 * Theme.u
            RowLayout {
                spacing: Theme.gap
                Sign { tone: "good"; Layout.preferredWidth: 64 * Theme.u; Layout.preferredHeight: 64 * Theme.u }
                Txt { objectName: "headline"; text: card.screen.headline; size: Theme.title; bold: true; color: Theme.good; Layout.fillWidth: true }
            }
            Txt { text: card.screen.service; size: 28 * Theme.u; strong: true; Layout.fillWidth: true; visible: text !== ""; maximumLineCount: 2; elide: Text.ElideRight }
            Txt { objectName: "detail"; text: card.screen.detail + (card.screen.state === "receipt" ? "  →" : ""); size: 28 * Theme.u; Layout.fillWidth: true; visible: card.screen.detail !== "" }
            Txt { objectName: "number"; text: card.screen.number; size: Theme.text; color: Theme.faint; Layout.fillWidth: true; visible: text !== "" }
            Item { Layout.fillHeight: true }
            Txt { objectName: "paper"; text: card.kiosk.live.paper; size: Theme.small; Layout.fillWidth: true; visible: text !== "" }
            Txt { objectName: "note"; text: card.kiosk.live.note; size: Theme.small; color: Theme.faint; Layout.fillWidth: true }
            Answers { kiosk: card.kiosk; Layout.fillWidth: true }
        }
        ColumnLayout {
            visible: card.screen.code !== ""
            spacing: 8 * Theme.u
            CodeView { objectName: "code"; text: card.screen.code; Layout.preferredWidth: 330 * Theme.u; Layout.preferredHeight: 330 * Theme.u }
            Txt { text: card.screen.scan; size: Theme.small; color: Theme.faint; horizontalAlignment: Text.AlignHCenter; Layout.preferredWidth: 330 * Theme.u }
        }
    }
}
