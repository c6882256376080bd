// Each part of the device: how it is, what was found, what to do; bad ones are told by words and colour.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import "."

Card {
    id: board
    required property QtObject device
    required property var words
    border { width: 1; color: "#ffd7e0ea" }
    onVisibleChanged: if (visible) device.look()
    ColumnLayout {
        anchors { fill: parent; margins: 24 * Theme.u }
        spacing: 10 * Theme.u
        RowLayout {
            Layout.fillWidth: true
            Txt { text: board.words.device + "  " + board.device.page.device; size: 26 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: board.device.page.busy ? board.words.looking : board.device.page.at; size: 18 * Theme.u; color: Theme.faint; wrapMode: Text.NoWrap }
            Key { objectName: "look"; text: board.words.look_again; enabled: !board.device.page.busy; onClicked: board.device.look() }
        }
        BusyIndicator { running: board.device.page.busy && list.count === 0; visible: running; Layout.alignment: Qt.AlignHCenter }
        ListView {
            id: list
            objectName: "parts"
            Layout.fillWidth: true
            Layout.fillHeight: true
            clip: true
            model: board.device.page.lines
            boundsBehavior: Flickable.StopAtBounds
            ScrollBar.vertical: ScrollBar { }
            delegate: RowLayout {
                id: line
                required property var modelData
                width: ListView.view.width - 14 * Theme.u
                spacing: 16 * Theme.u
                Txt { text: line.modelData.part; size: Theme.small; strong: true; Layout.preferredWidth: 210 * Theme.u; topPadding: 8 * Theme.u; bottomPadding: 8 * Theme.u }
                Item { Layout.preferredWidth: 200 * Theme.u; Layout.preferredHeight: 32 * Theme.u; Chip { text: line.modelData.health; tone: line.modelData.tone } }
                ColumnLayout {
                    Layout.fillWidth: true
                    Layout.topMargin: 8 * Theme.u
                    Layout.bottomMargin: 8 * Theme.u
                    spacing: 2 * Theme.u
                    Txt { text: line.modelData.found; size: 18 * Theme.u; Layout.fillWidth: true }
                    Txt { text: line.modelData.remedy; size: 17 * Theme.u; color: Theme.bad; Layout.fillWidth: true; visible: text !== "" }
                }
            }
        }
    }
}
