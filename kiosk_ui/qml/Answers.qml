// The answers of a state side by side, the one most will give on the right. all: with what is else at the window's foot.
import QtQuick
import QtQuick.Layouts
import "."

RowLayout {
    id: row
    required property QtObject kiosk
    property bool all: false
    readonly property var shown: all ? kiosk.buttons.answers.concat(kiosk.buttons.bottom) : kiosk.buttons.answers
    spacing: Theme.gap
    Layout.fillHeight: false
    Layout.preferredHeight: Theme.touch * 1.1
    visible: shown.length > 0
    Repeater {
        model: row.shown
        Btn {
            required property var modelData
            objectName: "answer-" + modelData.intent
            Layout.fillWidth: true
            Layout.preferredWidth: modelData.weight === "primary" ? 3 : 2
            Layout.fillHeight: true
            weight: modelData.weight
            text: modelData.text
            onClicked: row.kiosk.answer(modelData.intent, modelData.service)
        }
    }
}
