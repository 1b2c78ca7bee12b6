package org.lenetedge.core

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** A picture to check with: 32 x 32 unsigned bytes; [label] is null if it is not a digit. */
class GoldenPicture(val name: String, val label: Int?, val pixels: ByteArray)

/** A drawing and the picture that it must become. */
class GoldenDrawing(val name: String, val ink: Ink, val pixels: ByteArray)

/**
 * What a model's file must be ([sha256], [bytes] long) and give for each picture, as it stores it: [scores] in TensorFlow,
 * anywhere from [low] to [high] in a runtime that rounds differently. Below [unsureBelow] an answer is not sure.
 */
class GoldenFile(
    val sha256: String,
    val bytes: Int,
    val unsureBelow: Double,
    val scores: List<FloatArray>,
    val low: List<FloatArray>,
    val high: List<FloatArray>,
)

/** Of [pictures], how many have a score [outside] the limits; in a quantised file, how many the [same] bytes as TensorFlow's. */
data class GoldenVerdict(val pictures: Int, val outside: Int, val same: Int)

/** lenet_edge/golden/golden.json: what every port must reproduce. */
class Golden(
    val pictures: List<GoldenPicture>,
    val drawings: List<GoldenDrawing>,
    private val files: Map<String, GoldenFile>,
) {
    /** Returns the entry for [model]; throws [IllegalArgumentException] if the file does not name it. */
    fun of(model: Model): GoldenFile =
        requireNotNull(files[model.file]) { "expected ${model.file} in golden.json" }

    companion object {
        /** Reads golden.json's [text]; throws [IllegalArgumentException] if it is anything else. */
        fun parse(text: String): Golden = try {
            val root = JSONObject(text)
            require(root.getInt("format") == 1) {
                "expected golden.json of format 1, got ${root.get("format")}"
            }
            Golden(
                root.getJSONArray("pictures").objects().map { picture(it) },
                root.getJSONArray("drawings").objects().map { drawing(it) },
                root.getJSONObject("files").let { files ->
                    names(files).associateWith { file(files.getJSONObject(it)) }
                },
            )
        } catch (error: JSONException) {
            throw IllegalArgumentException("expected golden.json, got another file: ${error.message}", error)
        }

        private fun picture(one: JSONObject) = GoldenPicture(
            one.getString("name"),
            if (one.isNull("label")) null else one.getInt("label"),
            one.getJSONArray("pixels").unsigned(),
        )

        private fun drawing(one: JSONObject) = GoldenDrawing(
            one.getString("name"),
            Ink(one.getInt("width"), one.getInt("height"), one.getJSONArray("ink").unsigned()),
            one.getJSONArray("pixels").unsigned(),
        )

        private fun file(one: JSONObject) = GoldenFile(
            one.getString("sha256"),
            one.getInt("bytes"),
            one.optDouble("unsure_below", 0.0),
            one.rows("scores"),
            one.rows("low"),
            one.rows("high"),
        )

        private fun names(files: JSONObject): List<String> = files.keys().asSequence().toList()

        private fun JSONObject.rows(key: String): List<FloatArray> {
            val rows = getJSONArray(key)
            return List(rows.length()) { rows.getJSONArray(it).floats() }
        }

        private fun JSONArray.objects(): List<JSONObject> = List(length()) { getJSONObject(it) }

        private fun JSONArray.floats() = FloatArray(length()) { getDouble(it).toFloat() }

        private fun JSONArray.unsigned() = ByteArray(length()) { getInt(it).toByte() }
    }
}

/** Returns how [stored], a row for each golden picture as the file stores its scores, keeps the limits; NaN never does. */
fun GoldenFile.judge(stored: List<FloatArray>): GoldenVerdict {
    require(stored.size == scores.size) { "expected ${scores.size} rows, got ${stored.size}" }
    val within = stored.indices.count { row -> within(stored[row], low[row], high[row]) }
    val same = stored.indices.count { row -> stored[row].contentEquals(scores[row]) }
    return GoldenVerdict(stored.size, stored.size - within, same)
}

private fun within(scores: FloatArray, low: FloatArray, high: FloatArray): Boolean =
    scores.indices.all { scores[it] in low[it]..high[it] }
