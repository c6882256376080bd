// How the patient was identified, and why the face did not do: both, or nothing is confirmed.
import QtQuick
import QtQuick.Layouts
import "."

ColumnLayout {
    id: form
    required property QtObject front
    property string service: ""
    property string attempt: ""
    readonly property var words: front.words
    readonly property bool secondNeeded: front.queue.secondNeeded ?? false
    signal closed()
    spacing: 10 * Theme.u
    onVisibleChanged: { identity.currentIndex = -1; reason.currentIndex = -1; second.currentIndex = -1; note.clear(); secondPin.clear() }
    Txt { text: form.words.how_checked; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: identity; objectName: "identity"; choices: form.words.identities; prompt: "—"; Layout.fillWidth: true }
    Txt { text: form.words.why_not_face; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: reason; objectName: "reason"; choices: form.words.failures; prompt: "—"; Layout.fillWidth: true }
    Field { id: note; objectName: "note"; placeholderText: form.words.note; maximumLength: 200; Layout.fillWidth: true }
    Txt { text: form.words.second; size: Theme.small; strong: true; visible: form.secondNeeded; Layout.fillWidth: true }
    Choice { id: second; objectName: "second"; visible: form.secondNeeded; prompt: "—"; choices: form.front.session.people.map(each => ({code: each.person, text: each.name})); Layout.fillWidth: true }
    Field { id: secondPin; objectName: "secondPin"; visible: form.secondNeeded; placeholderText: form.words.pin; echoMode: TextInput.Password; maximumLength: 12; Layout.fillWidth: true }
    Txt { text: form.front.queue.byHand ?? ""; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
    RowLayout {
        Layout.fillWidth: true
        Key { text: form.words.cancel; objectName: "manual-cancel"; Layout.fillWidth: true; onClicked: form.closed() }
        Key {
            objectName: "manual-go"
            text: form.words.confirm_by_hand
            weight: "primary"
            Layout.fillWidth: true
            onClicked: {
                form.front.touch()
                form.front.confirm(form.service, identity.code, reason.code, note.text, form.attempt, second.code, secondPin.text)
                secondPin.clear()
            }
        }
    }
    Txt { text: form.words.recorded; size: 16 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
}
