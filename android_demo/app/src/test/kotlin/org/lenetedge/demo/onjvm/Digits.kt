package org.lenetedge.demo.onjvm

import org.lenetedge.core.PICTURE
import java.io.DataInputStream
import java.io.File
import java.util.zip.GZIPInputStream

private const val SIDE = 28
private const val MARGIN = (PICTURE - SIDE) / 2

/** MNIST digits of the package, "t10k" or "calibration": padded with paper to 32 x 32, with their labels. */
class Digits(private val name: String) {
    val labels: List<Int> = idx("labels-idx1", 2049) { file, count ->
        List(count) { file.readUnsignedByte() }
    }

    val pictures: List<ByteArray> = idx("images-idx3", 2051) { file, count ->
        check(file.readInt() == SIDE && file.readInt() == SIDE) { "expected pictures of $SIDE x $SIDE" }
        List(count) { padded(ByteArray(SIDE * SIDE).also { file.readFully(it) }) }
    }

    private fun <T> idx(part: String, magic: Int, read: (DataInputStream, Int) -> T): T {
        val file = File(System.getProperty("digits"), "$name-$part-ubyte.gz")
        return DataInputStream(GZIPInputStream(file.inputStream()).buffered()).use {
            check(it.readInt() == magic) { "expected an IDX file of kind $magic, got $file" }
            read(it, it.readInt())
        }
    }

    private fun padded(digit: ByteArray): ByteArray {
        val picture = ByteArray(PICTURE * PICTURE)
        for (row in 0 until SIDE) {
            digit.copyInto(picture, (row + MARGIN) * PICTURE + MARGIN, row * SIDE, (row + 1) * SIDE)
        }
        return picture
    }
}
