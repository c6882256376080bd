// The first run of a desk: its steps on the left, the one in hand on the right, answers below it.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Keldim.Native
import "."

Window {
    id: window
    required property QtObject wizard
    readonly property var now: wizard.now
    width: 1280
    height: 800
    title: "Keldim"
    color: "#fff3f6fa"

    // A button that has just come takes no press: it is the second one of a double click, meant for what was there before.
    property int unread: 500
    readonly property bool readable: !fresh.running || unread === 0
    readonly property bool over: now.over
    readonly property int offered: now.answers.length
    onOverChanged: fresh.restart()
    onOfferedChanged: fresh.restart()
    Timer { id: fresh; interval: window.unread }

    Binding { target: Theme; property: "u"; value: Math.min(window.width / 1280, window.height / 800) }

    RowLayout {
        anchors { fill: parent; margins: Theme.margin }
        spacing: Theme.gap
        Card {
            Layout.preferredWidth: 470 * Theme.u
            Layout.fillHeight: true
            border { width: 1; color: "#ffd7e0ea" }
            ColumnLayout {
                anchors { fill: parent; margins: 24 * Theme.u }
                spacing: 6 * Theme.u
                Repeater {
                    model: window.now.steps
                    AbstractButton {
                        id: step
                        required property var modelData
                        required property int index
                        objectName: "step-" + modelData.step
                        enabled: window.now.over
                        Layout.fillWidth: true
                        Layout.fillHeight: true
                        activeFocusOnTab: true
                        focusPolicy: Qt.StrongFocus
                        Accessible.role: Accessible.Button
                        Accessible.name: modelData.title + ". " + modelData.found
                        Keys.onReturnPressed: clicked()
                        Keys.onEnterPressed: clicked()
                        onClicked: window.wizard.take(modelData.step)
                        background: Rectangle {
                            radius: Theme.round
                            color: step.modelData.current ? Theme.mist : step.down ? Theme.mist : Theme.paper
                            border { width: step.activeFocus ? 4 * Theme.u : 0; color: Theme.focusLight }
                        }
                        contentItem: RowLayout {
                            spacing: 14 * Theme.u
                            Rectangle {
                                Layout.leftMargin: 12 * Theme.u
                                implicitWidth: 40 * Theme.u
                                implicitHeight: implicitWidth
                                radius: width / 2
                                color: step.modelData.tone === "good" ? Theme.good : step.modelData.tone === "bad" ? Theme.bad : step.modelData.tone === "attention" ? Theme.attention : Theme.line
                                Txt {
                                    anchors.centerIn: parent
                                    text: step.modelData.tone === "good" ? "✓" : step.modelData.tone === "bad" ? "!" : step.modelData.tone === "attention" ? "–" : String(step.index + 1)
                                    color: Theme.paper
                                    size: Theme.small
                                    bold: true
                                    Accessible.ignored: true
                                }
                            }
                            ColumnLayout {
                                Layout.fillWidth: true
                                Layout.rightMargin: 10 * Theme.u
                                spacing: 2 * Theme.u
                                Txt { text: step.modelData.title; size: 22 * Theme.u; strong: true; Layout.fillWidth: true; Accessible.ignored: true }
                                Txt { text: step.modelData.found; size: 15 * Theme.u; color: Theme.faint; visible: text !== ""; Layout.fillWidth: true; Accessible.ignored: true }
                            }
                        }
                    }
                }
            }
        }
        Card {
            Layout.fillWidth: true
            Layout.fillHeight: true
            border { width: 1; color: "#ffd7e0ea" }
            ColumnLayout {
                anchors { fill: parent; margins: 36 * Theme.u }
                spacing: 16 * Theme.u
                Txt { objectName: "title"; text: window.now.title; size: Theme.title; bold: true; Layout.fillWidth: true; visible: text !== "" }
                Repeater {
                    model: window.now.lines
                    Txt { required property string modelData; text: modelData; size: 24 * Theme.u; Layout.fillWidth: true }
                }
                Txt { objectName: "failure"; text: window.now.failure; size: 22 * Theme.u; color: Theme.bad; Layout.fillWidth: true; visible: text !== "" }
                Rectangle {
                    Layout.fillWidth: true
                    Layout.fillHeight: true
                    Layout.minimumHeight: 0
                    color: Theme.night
                    visible: window.now.seeing
                    CameraView { objectName: "view"; anchors.fill: parent }
                }
                BusyIndicator { running: !window.now.over && window.now.answers.length === 0 && !window.now.seeing; visible: running; Layout.alignment: Qt.AlignHCenter }
                Item { Layout.fillHeight: true; visible: !window.now.seeing }
                Repeater {
                    model: window.now.answers
                    Btn {
                        required property string modelData
                        required property int index
                        objectName: "answer-" + index
                        weight: index === 0 ? "primary" : "secondary"
                        text: modelData
                        Layout.fillWidth: true
                        onClicked: if (window.readable) window.wizard.answer(index)
                    }
                }
                Btn {
                    objectName: "begin"
                    weight: "primary"
                    text: window.now.begin
                    visible: window.now.over && !window.now.ready
                    Layout.fillWidth: true
                    onClicked: if (window.readable) window.wizard.start()
                }
            }
        }
    }
}
