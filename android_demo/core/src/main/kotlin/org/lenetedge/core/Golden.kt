package org.lenetedge.core

import org.json.JSONObject

/** A picture to check with: 32 x 32 unsigned bytes; [label] is null if it is not a digit. */
class GoldenPicture(val name: String, val label: Int?, val pixels: ByteArray)

/** A drawing and the picture that it must become. */
class GoldenDrawing(val name: String, val ink: Ink, val pixels: ByteArray)

/**
 * What a model of one digit must give for golden.json's pictures, as it stores it: [scores] in TensorFlow, anywhere
 * from [low] to [high] in a runtime that rounds differently.
 */
class GoldenFile(
    override val file: String,
    override val sha256: String,
    override val bytes: Int,
    override val unsureBelow: Double,
    override val inputs: List<ByteArray>,
    val scores: List<FloatArray>,
    val low: List<FloatArray>,
    val high: List<FloatArray>,
) : GoldenModel {
    override fun judge(stored: List<FloatArray>): GoldenVerdict {
        require(stored.size == scores.size) { "expected ${scores.size} rows, got ${stored.size}" }
        val within = stored.indices.count { row -> within(stored[row], low[row], high[row]) }
        val same = stored.indices.count { row -> stored[row].contentEquals(scores[row]) }
        return GoldenVerdict(stored.size, stored.size - within, same)
    }
}

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
        fun parse(text: String): Golden = parsed("golden.json", text) { root ->
            val pictures = root.getJSONArray("pictures").objects().map { picture(it) }
            Golden(
                pictures,
                root.getJSONArray("drawings").objects().map { drawing(it) },
                root.getJSONObject("files").let { files ->
                    names(files).associateWith { file(it, files.getJSONObject(it), pictures) }
                },
            )
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

        private fun file(name: String, one: JSONObject, pictures: List<GoldenPicture>) = GoldenFile(
            name,
            one.getString("sha256"),
            one.getInt("bytes"),
            one.optDouble("unsure_below", 0.0),
            pictures.map { it.pixels },
            one.rows("scores"),
            one.rows("low"),
            one.rows("high"),
        )

        private fun names(files: JSONObject): List<String> = files.keys().asSequence().toList()
    }
}
