package org.lenetedge.core

/** Empty columns added on each side, so that a digit at the very edge is in the middle of a window. */
private const val MARGIN = FIELD / 2

/** A [string], its columns those of the line; whether its probability is high enough to be [sure]; and the time of all inferences. */
class LineReading(val string: DigitString, val sure: Boolean, val nanos: Long)

/** Reads lines of any width with a [reader] of the [golden] file, whose width is fixed: piece by piece. */
class LineReader(private val reader: Reader, private val golden: GoldenStrings) {
    /** Reads [line], [FIELD] rows high. Throws [NoAnswer] as [Reader.read] does. */
    fun read(line: Ink): LineReading {
        val readings = piecesOf(line, golden.columns).map { reader.read(it) }
        val windows = windowsOf(readings.map { it.scores }).take(windows(line.width + 2 * MARGIN))
        val found = decode(windows.map { row -> DoubleArray(CLASSES) { row[it].toDouble() } })
        val digits = found.digits.map {
            it.copy(
                left = maxOf(0.0, it.left - MARGIN),
                right = minOf(line.width.toDouble(), it.right - MARGIN),
            )
        }
        val string = found.copy(digits = digits)
        return LineReading(string, string.probability >= golden.unsureBelow, readings.sumOf { it.nanos })
    }
}

/** Returns the number of windows in [columns] columns. */
internal fun windows(columns: Int): Int = (columns - FIELD) / STEP + 1

/** Returns [line] with empty margins, cut into pieces of [columns] columns that continue each other's windows. */
internal fun piecesOf(line: Ink, columns: Int): List<ByteArray> {
    require(line.height == FIELD) { "expected a line of $FIELD rows, got ${line.height}" }
    val starts = 0 until windows(line.width + 2 * MARGIN) step windows(columns)
    return starts.map { first -> pieceOf(line, first * STEP - MARGIN, columns) }
}

/** Returns [columns] columns of [line] from [start] on, which may lie outside: empty there. */
private fun pieceOf(line: Ink, start: Int, columns: Int) = ByteArray(FIELD * columns) { place ->
    val column = start + place % columns
    if (column in 0 until line.width) line[place / columns, column].toByte() else 0
}

/** Returns the scores of each window, from those of the pieces. */
internal fun windowsOf(pieces: List<FloatArray>): List<FloatArray> = pieces.flatMap { piece ->
    List(piece.size / CLASSES) { piece.copyOfRange(it * CLASSES, (it + 1) * CLASSES) }
}
