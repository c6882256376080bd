// A receipt that does not stand: why, and what takes its place.
import QtQuick
import QtQuick.Layouts
import "."

ColumnLayout {
    id: form
    required property QtObject front
    property string receipt: ""
    readonly property var words: front.words
    readonly property var open: (front.card.services ?? []).filter(each => each.open)
    signal closed()
    spacing: 10 * Theme.u
    onVisibleChanged: { why.currentIndex = -1; instead.currentIndex = -1; note.clear(); second.clear() }
    Txt { text: form.words.why_correct; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: why; objectName: "why"; label: form.words.why_correct; choices: form.words.corrections; prompt: "—"; Layout.fillWidth: true }
    Txt { text: form.words.instead; size: Theme.small; strong: true; visible: form.open.length > 0; Layout.fillWidth: true }
    Choice { id: instead; objectName: "instead"; label: form.words.instead; visible: form.open.length > 0; prompt: "—"; choices: form.open.map(each => ({code: each.service, text: each.starts + " " + each.what})); Layout.fillWidth: true }
    Field { id: note; objectName: "correctNote"; placeholderText: form.words.note; maximumLength: 200; Layout.fillWidth: true }
    SecondPerson { id: second; front: form.front; visible: instead.code !== "" && (form.front.card.secondNeeded ?? false); Layout.fillWidth: true }
    Txt { text: form.front.queue.byHand ?? ""; size: 17 * Theme.u; color: Theme.faint; visible: instead.code !== ""; Layout.fillWidth: true }
    RowLayout {
        Layout.fillWidth: true
        Key { text: form.words.cancel; objectName: "correct-cancel"; Layout.fillWidth: true; Layout.fillHeight: true; onClicked: form.closed() }
        Key {
            objectName: "correct-go"
            text: instead.code === "" ? form.words.take_back : form.words.put_instead
            Layout.fillWidth: true
            onClicked: {
                form.front.touch()
                form.front.correct(form.receipt, why.code, instead.code, note.text, second.visible ? second.person : "", second.digits)
                second.forgetPin()
            }
        }
    }
    Txt { text: form.words.recorded; size: 16 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
}
