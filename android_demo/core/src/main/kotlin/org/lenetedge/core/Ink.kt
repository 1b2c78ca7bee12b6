package org.lenetedge.core

/** A drawing of [width] by [height] pixels, row by row: 0 for paper to 255 for ink, as unsigned bytes. */
class Ink(val width: Int, val height: Int, val values: ByteArray) {
    init {
        require(width in 1..LARGEST && height in 1..LARGEST) {
            "expected sides from 1 to $LARGEST, got $width x $height"
        }
        require(values.size == width * height) { "expected ${width * height} pixels, got ${values.size}" }
    }

    operator fun get(row: Int, column: Int): Int = values[row * width + column].toInt() and 0xff

    private companion object {
        const val LARGEST = 4096
    }
}
