// A new patient, one step at a time: document, consent, looks, check, done.
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts
import Keldim.Native
import "."

Card {
    id: page
    required property QtObject enrol
    required property QtObject front
    readonly property var now: enrol.page
    readonly property var words: front.words
    border { width: 1; color: "#ffd7e0ea" }
    onVisibleChanged: if (!visible) page.enrol.refuse()

    RowLayout {
        anchors { fill: parent; margins: 30 * Theme.u }
        spacing: 34 * Theme.u
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.preferredWidth: 1
            spacing: 12 * Theme.u
            Txt { text: page.words.enrol; size: 28 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: page.words.no_camera; color: Theme.faint; visible: !page.now.camera; Layout.fillWidth: true }
            Txt { objectName: "enrolError"; text: page.now.error; color: Theme.bad; strong: true; size: Theme.small; visible: text !== ""; Layout.fillWidth: true }

            ColumnLayout {
                visible: page.now.camera && page.now.step === "document"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                onVisibleChanged: { iin.clear(); given.clear(); family.clear(); speaks.currentIndex = 0 }
                Txt { text: page.words.document; size: Theme.small; color: Theme.faint; Layout.fillWidth: true }
                Field { id: iin; objectName: "iin"; placeholderText: page.words.iin; maximumLength: 14; inputMethodHints: Qt.ImhDigitsOnly; Layout.fillWidth: true }
                Field { id: given; objectName: "given"; placeholderText: page.words.given; maximumLength: 80; Layout.fillWidth: true }
                Field { id: family; objectName: "family"; placeholderText: page.words.family; maximumLength: 80; Layout.fillWidth: true }
                Txt { text: page.words.speaks; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
                Choice { id: speaks; objectName: "speaks"; choices: page.words.languages.map(each => ({code: each.code, text: each.name})); currentIndex: 0; Layout.fillWidth: true }
                Key { objectName: "read"; weight: "primary"; text: page.words.next; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.read(iin.text, given.text, family.text, speaks.code) } }
            }

            ColumnLayout {
                visible: page.now.step === "consent"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                Txt { text: page.words.read_back; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
                Txt { objectName: "readBack"; text: page.now.name + "  ·  " + page.now.iin + "  ·  " + page.now.born; size: 24 * Theme.u; bold: true; Layout.fillWidth: true }
                Txt { text: page.words.read_aloud; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
                Repeater {
                    model: page.now.consent
                    Txt { required property string modelData; text: "•  " + modelData; size: 18 * Theme.u; Layout.fillWidth: true }
                }
                CheckBox {
                    id: guardian
                    objectName: "guardian"
                    text: page.words.by_guardian
                    font { family: Theme.font; pixelSize: Math.round(18 * Theme.u) }
                    Accessible.name: text
                }
                RowLayout {
                    Layout.fillWidth: true
                    Key { objectName: "refuses"; text: page.words.refuses; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.refuse() } }
                    Key { objectName: "agrees"; weight: "primary"; text: page.words.agrees; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.agree(guardian.checked) } }
                }
            }

            ColumnLayout {
                visible: page.now.step === "looks"
                spacing: 8 * Theme.u
                Layout.fillWidth: true
                Txt { objectName: "todo"; text: page.now.todo; size: 26 * Theme.u; bold: true; Layout.fillWidth: true }
                Txt { text: page.now.looks + " / " + page.now.wanted; size: Theme.small; color: Theme.faint }
                Repeater {
                    model: page.now.bars
                    RowLayout {
                        id: bar
                        required property var modelData
                        Layout.fillWidth: true
                        Txt { text: bar.modelData.name; size: 17 * Theme.u; Layout.preferredWidth: 190 * Theme.u }
                        Rectangle {
                            Layout.fillWidth: true
                            Layout.preferredHeight: 14 * Theme.u
                            radius: height / 2
                            color: Theme.mist
                            border { width: 1; color: Theme.line }
                            Rectangle { width: parent.width * bar.modelData.value / 100; height: parent.height; radius: height / 2; color: bar.modelData.value >= 50 ? Theme.good : Theme.attention }
                            Accessible.role: Accessible.ProgressBar
                            Accessible.name: bar.modelData.name + " " + bar.modelData.value
                        }
                        Txt { text: bar.modelData.value; size: 16 * Theme.u; Layout.preferredWidth: 40 * Theme.u }
                    }
                }
                Key { objectName: "breakOff"; text: page.words.break_off; Layout.fillWidth: true; onClicked: page.enrol.refuse() }
            }

            RowLayout {
                visible: page.now.step === "twin"
                Layout.fillWidth: true
                Key { objectName: "notTwin"; text: page.words.break_off; Layout.fillWidth: true; onClicked: page.enrol.refuse() }
                Key { objectName: "twin"; text: page.words.other_person; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.overrule() } }
            }

            ColumnLayout {
                visible: page.now.step === "done"
                spacing: 12 * Theme.u
                Layout.fillWidth: true
                Sign { tone: "good" }
                Txt { objectName: "enrolled"; text: page.words.enrolled + "  № " + page.now.number; size: 24 * Theme.u; bold: true; color: Theme.good; Layout.fillWidth: true }
                Key { objectName: "nextPatient"; weight: "primary"; text: page.words.next_patient; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.refuse() } }
            }
            Item { Layout.fillHeight: true }
        }
        Rectangle {
            Layout.preferredWidth: 640 * Theme.u
            Layout.fillHeight: true
            color: Theme.night
            visible: page.now.step === "looks"
            CameraView { objectName: "enrolView"; anchors.fill: parent }
        }
    }
}
