// A sheet of paper in the middle of the window.
import QtQuick
import "."

Rectangle {
    color: Theme.paper
    radius: 30 * Theme.u
}
