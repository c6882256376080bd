// A new patient, a child with a guardian, or the operator's own face; one step at a time.
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
    readonly property bool own: now.who === "staff"
    readonly property bool child: now.who === "child"
    border { width: 1; color: "#ffd7e0ea" }
    // the operator's own face is asked for before anything else
    property bool ownFirst: false
    onVisibleChanged: begin()
    onOwnFirstChanged: begin()

    function begin() {
        if (visible && ownFirst) enrol.own()
        else enrol.refuse()
    }

    RowLayout {
        anchors { fill: parent; margins: 30 * Theme.u }
        spacing: 34 * Theme.u
        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.preferredWidth: 1
            spacing: 12 * Theme.u
            Txt { objectName: "enrolTitle"; text: page.own ? page.words.own_face : page.words.enrol; size: 28 * Theme.u; bold: true; Layout.fillWidth: true }
            Txt { text: page.words.own_why; size: Theme.small; color: Theme.faint; visible: page.own; Layout.fillWidth: true }
            Txt { text: page.words.no_camera; color: Theme.faint; visible: !page.enrol.camera; Layout.fillWidth: true }
            Txt { objectName: "enrolError"; text: page.now.error; color: Theme.bad; strong: true; size: Theme.small; visible: text !== ""; Layout.fillWidth: true }

            ColumnLayout {
                visible: page.enrol.camera && page.now.step === "document"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                onVisibleChanged: { iin.clear(); given.clear(); family.clear(); speaks.currentIndex = 0; if (visible) iin.forceActiveFocus() }
                Txt { text: page.words.document; size: Theme.small; color: Theme.faint; Layout.fillWidth: true }
                Field { id: iin; objectName: "iin"; placeholderText: page.words.iin; maximumLength: 14; inputMethodHints: Qt.ImhDigitsOnly; Layout.fillWidth: true }
                Field { id: given; objectName: "given"; placeholderText: page.words.given; maximumLength: 80; Layout.fillWidth: true }
                Field { id: family; objectName: "family"; placeholderText: page.words.family; maximumLength: 80; Layout.fillWidth: true }
                Txt { text: page.words.speaks; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
                Choice { id: speaks; objectName: "speaks"; label: page.words.speaks; choices: page.words.languages.map(each => ({code: each.code, text: each.name})); currentIndex: 0; Layout.fillWidth: true }
                Key { objectName: "read"; weight: "primary"; text: page.words.next; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.read(iin.text, given.text, family.text, speaks.code) } }
            }

            ColumnLayout {
                visible: page.now.step === "guardian"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                onVisibleChanged: { guardianIin.clear(); if (visible) guardianIin.forceActiveFocus() }
                Txt { text: page.words.read_back; size: 17 * Theme.u; color: Theme.faint; Layout.fillWidth: true }
                Txt { objectName: "childBack"; text: page.now.readBack; size: 24 * Theme.u; bold: true; Layout.fillWidth: true }
                Txt { text: page.words.guardian_of; size: Theme.small; Layout.fillWidth: true }
                Field { id: guardianIin; objectName: "guardianIin"; placeholderText: page.words.guardian_iin; maximumLength: 14; inputMethodHints: Qt.ImhDigitsOnly; Layout.fillWidth: true; onAccepted: page.enrol.guardian(text) }
                RowLayout {
                    Layout.fillWidth: true
                    Key { objectName: "noGuardian"; text: page.words.break_off; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.refuse() } }
                    Key { objectName: "guardianNext"; weight: "primary"; text: page.words.next; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.guardian(guardianIin.text) } }
                }
            }

            ColumnLayout {
                visible: page.now.step === "consent"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                onVisibleChanged: { guardian.checked = false; relation.currentIndex = -1; if (visible) (page.child ? relation : agrees).forceActiveFocus() }
                Txt { text: page.words.read_back; size: 17 * Theme.u; color: Theme.faint; visible: !page.own; Layout.fillWidth: true }
                Txt { objectName: "readBack"; text: page.now.readBack; size: 24 * Theme.u; bold: true; Layout.fillWidth: true }
                Txt { text: page.words.read_back_guardian; size: 17 * Theme.u; color: Theme.faint; visible: page.child; Layout.fillWidth: true }
                Txt { objectName: "guardianBack"; text: page.now.guardian; size: 24 * Theme.u; bold: true; visible: page.child; Layout.fillWidth: true }
                Txt { text: page.words.relation; size: Theme.small; strong: true; visible: page.child; Layout.fillWidth: true }
                Choice { id: relation; objectName: "relation"; visible: page.child; choices: page.now.relations; prompt: "—"; label: page.words.relation; Layout.fillWidth: true }
                Txt { text: page.words.read_aloud; size: 17 * Theme.u; color: Theme.faint; visible: !page.own; Layout.fillWidth: true }
                Repeater {
                    model: page.now.consent
                    Txt { required property string modelData; text: "•  " + modelData; size: 18 * Theme.u; Layout.fillWidth: true }
                }
                CheckBox {
                    id: guardian
                    objectName: "guardian"
                    visible: page.now.who === "patient"
                    text: page.words.by_guardian
                    font { family: Theme.font; pixelSize: Math.round(18 * Theme.u) }
                    Accessible.name: text
                    indicator: Rectangle {
                        x: guardian.leftPadding
                        anchors.verticalCenter: parent.verticalCenter
                        implicitWidth: 28 * Theme.u
                        implicitHeight: implicitWidth
                        radius: 6 * Theme.u
                        color: Theme.paper
                        border { width: (guardian.activeFocus ? 3 : 1.5) * Theme.u; color: guardian.activeFocus ? Theme.focusLight : Theme.line }
                        Txt { anchors.centerIn: parent; text: "✓"; visible: guardian.checked; size: 20 * Theme.u; bold: true; color: Theme.good; Accessible.ignored: true }
                    }
                }
                RowLayout {
                    Layout.fillWidth: true
                    Key { objectName: "later"; visible: page.own; text: page.words.later; Layout.fillWidth: true; onClicked: { page.front.touch(); page.front.postpone(true) } }
                    Key { objectName: "refuses"; visible: !page.own; text: page.words.refuses; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.refuse() } }
                    Key { id: agrees; objectName: "agrees"; visible: !page.child; weight: "primary"; text: page.own ? page.words.own_agree : page.words.agrees; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.agree(guardian.checked) } }
                    Key { objectName: "speaksFor"; visible: page.child; weight: "primary"; text: page.words.speaks_for; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.speakFor(relation.code) } }
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
                Key { objectName: "breakOff"; text: page.words.break_off; Layout.fillWidth: true; onClicked: page.enrol.breakOff() }
            }

            ColumnLayout {
                id: twins
                readonly property bool asks: page.now.step === "twin" && !page.front.session.overrules
                visible: page.now.step === "twin"
                spacing: 10 * Theme.u
                Layout.fillWidth: true
                onVisibleChanged: { supervisor.currentIndex = -1; supervisorPin.clear(); if (visible) (asks ? supervisor : notTwin).forceActiveFocus() }
                Txt { text: page.words.supervisor; size: Theme.small; strong: true; visible: twins.asks; Layout.fillWidth: true }
                Choice { id: supervisor; objectName: "supervisor"; visible: twins.asks; prompt: "—"; label: page.words.supervisor; choices: page.front.session.people.filter(each => each.overrules).map(each => ({code: each.person, text: each.name})); Layout.fillWidth: true }
                Field { id: supervisorPin; objectName: "supervisorPin"; visible: twins.asks; placeholderText: page.words.pin; echoMode: TextInput.Password; inputMethodHints: Qt.ImhDigitsOnly | Qt.ImhNoPredictiveText | Qt.ImhSensitiveData; maximumLength: 12; Layout.fillWidth: true }
                RowLayout {
                    Layout.fillWidth: true
                    Key { id: notTwin; objectName: "notTwin"; text: page.words.break_off; Layout.fillWidth: true; onClicked: page.enrol.refuse() }
                    Key { objectName: "twin"; text: page.words.other_person; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.overrule(supervisor.code, supervisorPin.text); supervisorPin.clear() } }
                }
            }

            ColumnLayout {
                visible: page.now.step === "test"
                spacing: 12 * Theme.u
                Layout.fillWidth: true
                Txt { objectName: "kept"; text: page.words.kept + "  № " + page.now.number; size: Theme.small; strong: true; color: Theme.good; Layout.fillWidth: true }
                Txt { objectName: "testTodo"; text: page.now.todo; size: 26 * Theme.u; bold: true; Layout.fillWidth: true }
                Key { objectName: "breakTest"; text: page.words.break_off; Layout.fillWidth: true; onClicked: page.enrol.refuse() }
            }

            ColumnLayout {
                visible: page.now.step === "done"
                onVisibleChanged: if (visible) (page.now.again ? looksAgain : nextPatient).forceActiveFocus()
                spacing: 12 * Theme.u
                Layout.fillWidth: true
                Sign { tone: page.now.error === "" ? page.now.tone : "attention" }
                Txt { objectName: "result"; text: page.now.result; size: 26 * Theme.u; bold: true; visible: text !== ""; color: page.now.tone === "good" ? Theme.good : page.now.tone === "bad" ? Theme.bad : Theme.attention; Layout.fillWidth: true }
                Txt { objectName: "enrolled"; text: (page.child ? page.words.guardian_named : page.words.kept) + (page.now.number === "" ? "" : "  № " + page.now.number); size: Theme.small; strong: true; color: Theme.good; Layout.fillWidth: true }
                Txt { objectName: "doneBack"; text: [page.now.readBack, page.now.relation, page.now.guardian].filter(each => each !== "").join("\n"); size: Theme.small; visible: page.child; Layout.fillWidth: true }
                RowLayout {
                    Layout.fillWidth: true
                    visible: !page.own
                    Key { objectName: "testAgain"; text: page.words.test_again; visible: !page.child; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.test() } }
                    Key { id: looksAgain; objectName: "looksAgain"; text: page.words.looks_again; weight: "primary"; visible: page.now.again; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.again() } }
                    Key { id: nextPatient; objectName: "nextPatient"; weight: page.now.again ? "secondary" : "primary"; text: page.words.next_patient; Layout.fillWidth: true; onClicked: { page.front.touch(); page.enrol.refuse() } }
                }
            }
            Item { Layout.fillHeight: true }
        }
        Rectangle {
            Layout.preferredWidth: 640 * Theme.u
            Layout.fillHeight: true
            color: Theme.night
            visible: page.now.step === "looks" || page.now.step === "test"
            CameraView { objectName: "enrolView"; anchors.fill: parent }
        }
    }
}
