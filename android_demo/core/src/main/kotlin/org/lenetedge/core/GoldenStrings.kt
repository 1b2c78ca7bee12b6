package org.lenetedge.core

import org.json.JSONArray
import org.json.JSONObject

/**
 * A line of digits and what the wide net must give for each of its windows, as the file stores it: [scores] in
 * TensorFlow, anywhere from [low] to [high] in a runtime that rounds differently. [read] is the string that [scores]
 * are read as, its columns those of the first window.
 */
class GoldenLine(
    val name: String,
    val ink: Ink,
    val scores: List<FloatArray>,
    val low: List<FloatArray>,
    val high: List<FloatArray>,
    val read: DigitString,
)

/** Scores that are hard to decide, and the string that they are read as. */
class HardString(val scores: List<DoubleArray>, val read: DigitString)

/** lenet_edge/golden/strings.json: what every reader of lines must reproduce, and the file that reads [columns] at once. */
class GoldenStrings(
    override val file: String,
    override val sha256: String,
    override val bytes: Int,
    override val unsureBelow: Double,
    val columns: Int,
    val output: TensorEnd,
    val lines: List<GoldenLine>,
    val hard: List<HardString>,
) : GoldenModel {
    override val inputs: List<ByteArray> = lines.flatMap { piecesOf(it.ink, columns) }

    override fun judge(stored: List<FloatArray>): GoldenVerdict {
        require(stored.size == inputs.size) { "expected scores of ${inputs.size} pieces, got ${stored.size}" }
        val pieces = stored.iterator()
        val rows = lines.map { line ->
            val own = List(piecesOf(line.ink, columns).size) { pieces.next() }
            windowsOf(own).take(line.scores.size)
        }
        val kept = lines.indices.count { keeps(lines[it], rows[it]) }
        val same = lines.indices.count { isSame(lines[it], rows[it]) }
        return GoldenVerdict(lines.size, lines.size - kept, same)
    }

    private fun keeps(line: GoldenLine, rows: List<FloatArray>) =
        rows.indices.all { within(rows[it], line.low[it], line.high[it]) }

    private fun isSame(line: GoldenLine, rows: List<FloatArray>) =
        rows.indices.all { rows[it].contentEquals(line.scores[it]) }

    companion object {
        /** Reads strings.json's [text]; throws [IllegalArgumentException] if it is anything else. */
        fun parse(text: String): GoldenStrings = parsed("strings.json", text) { root ->
            val file = root.getJSONObject("file")
            val columns = file.getInt("columns")
            GoldenStrings(
                file.getString("name"),
                file.getString("sha256"),
                file.getInt("bytes"),
                file.getDouble("unsure_below"),
                columns,
                end(file.getJSONObject("output"), CLASSES * windows(columns)),
                root.getJSONArray("lines").objects().map { line(it) },
                root.getJSONArray("hard").objects().map { hard(it) },
            )
        }

        private fun end(one: JSONObject, count: Int) = TensorEnd(
            TensorType.valueOf(one.getString("type").uppercase()),
            count,
            one.getDouble("scale").toFloat(),
            one.getInt("zero_point"),
        )

        private fun line(one: JSONObject) = GoldenLine(
            one.getString("name"),
            Ink(one.getInt("width"), FIELD, one.getJSONArray("pixels").unsigned()),
            one.rows("scores"),
            one.rows("low"),
            one.rows("high"),
            string(one.getJSONObject("read")),
        )

        private fun hard(one: JSONObject): HardString {
            val rows = one.getJSONArray("scores")
            return HardString(
                List(rows.length()) { doubles(rows.getJSONArray(it)) },
                string(one.getJSONObject("read")),
            )
        }

        private fun doubles(row: JSONArray) = DoubleArray(row.length()) { row.getDouble(it) }

        private fun string(one: JSONObject) = DigitString(
            one.getString("text"),
            one.getDouble("probability"),
            one.getJSONArray("digits").objects().map {
                ReadDigit(
                    it.getInt("digit"),
                    it.getDouble("probability"),
                    it.getDouble("left"),
                    it.getDouble("right"),
                )
            },
        )
    }
}
