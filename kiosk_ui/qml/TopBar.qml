// The voice, clinic and time on the left, the languages on the right, in their own words; on every screen.
import QtQuick
import QtQuick.Layouts
import "."

RowLayout {
    id: bar
    required property QtObject kiosk
    readonly property var screen: kiosk.words
    spacing: 10 * Theme.u
    Mute { kiosk: bar.kiosk; Layout.rightMargin: 10 * Theme.u }
    Column {
        Layout.fillWidth: true
        Txt { text: bar.screen.clinic; size: 24 * Theme.u; strong: true; color: Theme.groundText; width: parent.width; elide: Text.ElideRight; maximumLineCount: 1 }
        Row {
            spacing: 14 * Theme.u
            Txt { text: bar.kiosk.live.clock; size: Theme.small; color: Theme.groundFaint }
            Txt { text: bar.screen.offline; size: Theme.small; color: Theme.groundFaint; visible: text !== "" }
        }
    }
    Repeater {
        model: bar.kiosk.buttons.languages
        Btn {
            required property var modelData
            readonly property bool chosen: modelData.code === bar.screen.language
            objectName: "language-" + modelData.code
            onNight: !chosen
            text: modelData.name
            size: Theme.small
            checkable: false
            Accessible.checked: chosen
            onClicked: bar.kiosk.speak(modelData.code)
        }
    }
}
