// Today's services, who needs help first; one press opens the card beside it.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import "."

Card {
    id: page
    required property QtObject front
    readonly property var queue: front.queue
    readonly property var words: front.words
    border { width: 1; color: "#ffd7e0ea" }
    Connections {
        target: page.front
        function onSessionChanged() { if (!page.front.session.signedIn) sought.clear() }
    }
    ColumnLayout {
        anchors { fill: parent; margins: 20 * Theme.u }
        spacing: 10 * Theme.u
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gap
            Txt { text: page.words.today; size: 24 * Theme.u; bold: true }
            Field {
                id: sought
                objectName: "search"
                Layout.fillWidth: true
                placeholderText: page.words.search
                onTextEdited: { page.front.touch(); page.front.search(text) }
            }
        }
        Repeater {
            model: page.queue.calls ?? []
            Rectangle {
                required property var modelData
                Layout.fillWidth: true
                Layout.preferredHeight: 60 * Theme.u
                radius: 10 * Theme.u
                color: Theme.badTint
                RowLayout {
                    anchors { fill: parent; margins: 6 * Theme.u; leftMargin: 16 * Theme.u }
                    Txt { text: [page.words.calls, modelData.text, modelData.claimed].filter(each => each !== "").join("  ·  "); size: Theme.small; strong: true; color: Theme.badDown; Layout.fillWidth: true }
                    Key { text: page.words.answer; objectName: "call-" + modelData.call; onClicked: page.front.answer(modelData.call) }
                }
            }
        }
        Txt { text: page.queue.empty ?? ""; color: Theme.faint; visible: list.count === 0; Layout.fillWidth: true }
        ListView {
            id: list
            objectName: "rows"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            model: page.queue.rows ?? []
            boundsBehavior: Flickable.StopAtBounds
            activeFocusOnTab: true
            keyNavigationEnabled: true
            currentIndex: -1
            ScrollBar.vertical: ScrollBar { }
            Keys.onReturnPressed: if (currentItem) currentItem.press()
            delegate: ItemDelegate {
                id: row
                required property var modelData
                required property int index
                function press() { page.front.touch(); page.front.open(modelData.patient) }
                width: ListView.view.width
                height: (modelData.causes === "" ? 58 : 84) * Theme.u
                objectName: "row-" + index
                highlighted: modelData.patient === page.front.card.patient
                onClicked: press()
                Accessible.name: modelData.starts + " " + modelData.name + " " + modelData.what + " " + modelData.status + " " + modelData.claimed
                background: Rectangle {
                    color: row.highlighted ? "#ffe6f0fd" : row.hovered ? Theme.mist : Theme.paper
                    border { width: row.activeFocus || (list.activeFocus && list.currentIndex === row.index) ? 3 : 0; color: Theme.focusLight }
                    Rectangle { anchors { left: parent.left; right: parent.right; bottom: parent.bottom } height: 1; color: "#ffd7e0ea" }
                }
                contentItem: RowLayout {
                    spacing: 14 * Theme.u
                    Txt { text: row.modelData.starts; size: Theme.small; strong: true; Layout.preferredWidth: 62 * Theme.u }
                    ColumnLayout {
                        Layout.fillWidth: true
                        spacing: 2
                        RowLayout {
                            spacing: 12 * Theme.u
                            Txt { text: row.modelData.name; size: Theme.small; strong: row.modelData.known; color: row.modelData.known ? Theme.ink : Theme.faint; wrapMode: Text.NoWrap }
                            Txt { text: row.modelData.last4; size: 17 * Theme.u; color: Theme.faint; wrapMode: Text.NoWrap }
                            Txt { text: row.modelData.what; size: 18 * Theme.u; Layout.fillWidth: true; elide: Text.ElideRight; maximumLineCount: 1; wrapMode: Text.NoWrap }
                        }
                        Txt { text: row.modelData.causes; size: 16 * Theme.u; color: Theme.bad; Layout.fillWidth: true; visible: text !== ""; elide: Text.ElideRight; maximumLineCount: 1; wrapMode: Text.NoWrap }
                    }
                    Chip { text: row.modelData.status; tone: row.modelData.tone }
                }
            }
        }
    }
}
