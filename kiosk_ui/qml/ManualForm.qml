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
    signal closed()
    spacing: 10 * Theme.u
    onVisibleChanged: { identity.currentIndex = -1; reason.currentIndex = -1; note.clear(); second.clear() }
    Txt { text: form.words.how_checked; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: identity; objectName: "identity"; label: form.words.how_checked; choices: form.words.identities; prompt: "—"; Layout.fillWidth: true }
    Txt { text: form.words.why_not_face; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: reason; objectName: "reason"; label: form.words.why_not_face; choices: form.words.failures; prompt: "—"; Layout.fillWidth: true }
    Field { id: note; objectName: "note"; placeholderText: form.words.note; maximumLength: 200; Layout.fillWidth: true }
    SecondPerson { id: second; front: form.front; visible: form.front.card.secondNeeded ?? false; Layout.fillWidth: true }
    Txt { text: form.front.queue.byHand ?? ""; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
    RowLayout {
        Layout.fillWidth: true
        Key { text: form.words.cancel; objectName: "manual-cancel"; Layout.fillWidth: true; Layout.fillHeight: true; onClicked: form.closed() }
        Key {
            objectName: "manual-go"
            text: form.words.confirm_by_hand
            weight: "primary"
            Layout.fillWidth: true
            onClicked: {
                form.front.touch()
                form.front.confirm(form.service, identity.code, reason.code, note.text, form.attempt, second.person, second.digits)
                second.forgetPin()
            }
        }
    }
    Txt { text: form.words.recorded; size: 16 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
}
