// Who works here: choose a name, type the PIN. Also what a locked window shows.
import QtQuick
import QtQuick.Layouts
import "."

Item {
    id: page
    required property QtObject front
    readonly property var session: front.session
    readonly property var words: front.words
    property string chosen: ""
    onVisibleChanged: { pin.clear(); chosen = front.session.person; if (visible && front.session.locked) pin.forceActiveFocus() }

    function go() {
        if (session.locked) front.unlock(pin.text)
        else front.signIn(chosen, pin.text)
        pin.clear()
        if (visible) pin.forceActiveFocus()   // a slip is typed again, without the mouse
    }

    Card {
        anchors.centerIn: parent
        width: 620 * Theme.u
        height: column.implicitHeight + 72 * Theme.u
        border { width: 1; color: "#ffd7e0ea" }
        ColumnLayout {
            id: column
            anchors { left: parent.left; right: parent.right; verticalCenter: parent.verticalCenter; margins: 36 * Theme.u }
            spacing: 14 * Theme.u
            Txt { text: page.session.locked ? page.session.name : page.words.who; size: 30 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: page.words.nobody_yet; color: Theme.faint; size: Theme.small; Layout.fillWidth: true; visible: page.session.people.length === 0 }
            Repeater {
                model: page.session.locked ? [] : page.session.people
                Key {
                    required property var modelData
                    objectName: "operator-" + modelData.name
                    Layout.fillWidth: true
                    weight: modelData.person === page.chosen ? "primary" : "secondary"
                    text: modelData.name + "  ·  " + modelData.role
                    onClicked: { page.chosen = modelData.person; pin.forceActiveFocus() }
                }
            }
            Field {
                id: pin
                objectName: "pin"
                Layout.fillWidth: true
                visible: page.session.people.length > 0
                placeholderText: page.words.pin
                echoMode: TextInput.Password
                inputMethodHints: Qt.ImhDigitsOnly | Qt.ImhNoPredictiveText | Qt.ImhSensitiveData
                maximumLength: 12
                validator: RegularExpressionValidator { regularExpression: /[0-9]*/ }
                onAccepted: if (page.chosen !== "") page.go()
            }
            Key {
                objectName: "go"
                Layout.fillWidth: true
                visible: page.session.people.length > 0
                weight: "primary"
                enabled: page.chosen !== "" && pin.text.length > 0
                text: page.session.locked ? page.words.unlock : page.words.sign_in
                onClicked: page.go()
            }
            Key { Layout.fillWidth: true; visible: page.session.locked; text: page.words.sign_out; objectName: "other"; onClicked: page.front.signOut() }
        }
    }
}
