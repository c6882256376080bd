// One patient: why it did not work, what may be done about it, what was confirmed.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import "."

Card {
    id: panel
    required property QtObject front
    readonly property var card: front.card
    readonly property var words: front.words
    property string task: ""          // "", manual, correct, withdraw
    property string about: ""         // the service or receipt it is about
    border { width: 1; color: "#ffd7e0ea" }

    readonly property string patient: card.patient ?? ""
    onPatientChanged: task = ""

    Connections {
        target: panel.front
        function onDone() { panel.task = "" }
    }

    Txt {
        anchors.centerIn: parent
        width: parent.width - 80 * Theme.u
        visible: panel.patient === ""
        text: panel.words.choose_row
        color: Theme.faint
        horizontalAlignment: Text.AlignHCenter
    }

    Flickable {
        anchors { fill: parent; margins: 22 * Theme.u }
        visible: panel.patient !== ""
        contentHeight: column.implicitHeight
        clip: true
        boundsBehavior: Flickable.StopAtBounds
        ScrollBar.vertical: ScrollBar { }
        ColumnLayout {
            id: column
            width: parent.width - 8 * Theme.u
            spacing: 10 * Theme.u
            Txt { objectName: "cardName"; text: panel.card.name ?? ""; size: 28 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: panel.card.last4 ?? ""; size: 18 * Theme.u; color: Theme.faint; visible: text !== "" }
            Rectangle {
                Layout.fillWidth: true
                Layout.preferredHeight: why.implicitHeight + 24 * Theme.u
                radius: 10 * Theme.u
                color: Theme.badTint
                visible: why.text !== ""
                Txt { id: why; objectName: "causes"; anchors { left: parent.left; right: parent.right; verticalCenter: parent.verticalCenter; margins: 14 * Theme.u } text: panel.card.causes ?? ""; size: 18 * Theme.u; color: Theme.badDown }
            }
            Txt { text: panel.card.lookAlike ?? ""; size: 18 * Theme.u; color: Theme.attention; strong: true; Layout.fillWidth: true; visible: text !== "" }

            Key {
                objectName: "invite"
                Layout.fillWidth: true
                visible: panel.task === "" && (panel.card.mayTry ?? false)
                weight: why.text !== "" ? "primary" : "secondary"
                text: panel.words.invite
                onClicked: { panel.front.touch(); panel.front.invite() }
            }

            Repeater {
                model: panel.task === "" ? (panel.card.services ?? []) : []
                ColumnLayout {
                    id: service
                    required property var modelData
                    required property int index
                    Layout.fillWidth: true
                    spacing: 4 * Theme.u
                    Txt { text: service.modelData.starts + "  " + service.modelData.what; size: Theme.small; Layout.fillWidth: true }
                    Chip { text: service.modelData.status; tone: service.modelData.tone }
                    Key {
                        objectName: "manual-" + service.index
                        Layout.fillWidth: true
                        visible: service.modelData.open
                        text: panel.words.confirm_by_hand
                        onClicked: { panel.front.touch(); panel.about = service.modelData.service; panel.task = "manual" }
                    }
                }
            }

            ManualForm { front: panel.front; visible: panel.task === "manual"; service: panel.about; attempt: panel.card.attempt ?? ""; onClosed: panel.task = ""; Layout.fillWidth: true }
            CorrectForm { front: panel.front; visible: panel.task === "correct"; receipt: panel.about; onClosed: panel.task = ""; Layout.fillWidth: true }

            Txt { text: panel.words.receipts; size: 18 * Theme.u; strong: true; color: Theme.faint; visible: panel.task === "" && (panel.card.receipts ?? []).length > 0 }
            Repeater {
                model: panel.task === "" ? (panel.card.receipts ?? []).slice(0, 5) : []
                RowLayout {
                    id: receipt
                    required property var modelData
                    required property int index
                    Layout.fillWidth: true
                    Txt { text: receipt.modelData.text + "  №\u00a0" + receipt.modelData.number; size: 17 * Theme.u; font.strikeout: !receipt.modelData.stands; color: receipt.modelData.stands ? Theme.ink : Theme.faint; Layout.fillWidth: true }
                    Key {
                        objectName: "correct-" + receipt.index
                        visible: receipt.modelData.stands
                        text: panel.words.correct
                        onClicked: { panel.front.touch(); panel.about = receipt.modelData.receipt; panel.task = "correct" }
                    }
                }
            }

            Key {
                objectName: "withdraw"
                Layout.fillWidth: true
                visible: panel.task === "" && (panel.card.enrolled ?? false)
                text: panel.words.withdraw
                onClicked: { panel.front.touch(); panel.task = "withdraw" }
            }
            Txt { text: panel.card.held ?? ""; visible: panel.task === "withdraw"; size: Theme.small; Layout.fillWidth: true }
            RowLayout {
                visible: panel.task === "withdraw"
                Layout.fillWidth: true
                Key { text: panel.words.cancel; objectName: "keep"; Layout.fillWidth: true; onClicked: panel.task = "" }
                Key { text: panel.words.erase; objectName: "erase"; Layout.fillWidth: true; onClicked: panel.front.withdraw() }
            }
            Txt { objectName: "proofNote"; text: panel.card.proofNote ?? ""; size: 17 * Theme.u; strong: true; visible: text !== ""; wrapMode: Text.WrapAtWordBoundaryOrAnywhere; Layout.fillWidth: true }
            Key { objectName: "printProof"; text: panel.words.print_proof; visible: (panel.card.proof ?? []).length > 0; Layout.fillWidth: true; onClicked: { panel.front.touch(); panel.front.printProof() } }
            Rectangle {
                Layout.fillWidth: true
                Layout.preferredHeight: proof.implicitHeight + 28 * Theme.u
                radius: 10 * Theme.u
                color: Theme.mist
                visible: (panel.card.proof ?? []).length > 0
                Txt { id: proof; objectName: "proof"; anchors { left: parent.left; right: parent.right; verticalCenter: parent.verticalCenter; margins: 14 * Theme.u } text: (panel.card.proof ?? []).join("\n"); size: 17 * Theme.u }
            }
        }
    }
}
