// A colleague who agrees, with their own PIN.
import QtQuick
import QtQuick.Layouts
import "."

ColumnLayout {
    id: second
    required property QtObject front
    readonly property string person: who.code
    readonly property string digits: pin.text
    function clear() { who.currentIndex = -1; pin.clear() }
    function forgetPin() { pin.clear() }
    spacing: 10 * Theme.u
    Txt { text: second.front.words.second; size: Theme.small; strong: true; Layout.fillWidth: true }
    Choice { id: who; objectName: "second"; label: second.front.words.second; prompt: "—"; choices: second.front.session.people.filter(each => each.vouches).map(each => ({code: each.person, text: each.name})); Layout.fillWidth: true }
    Field { id: pin; objectName: "secondPin"; placeholderText: second.front.words.pin; echoMode: TextInput.Password; inputMethodHints: Qt.ImhDigitsOnly | Qt.ImhNoPredictiveText | Qt.ImhSensitiveData; maximumLength: 12; Layout.fillWidth: true }
}
