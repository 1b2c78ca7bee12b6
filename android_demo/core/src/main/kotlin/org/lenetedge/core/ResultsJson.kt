package org.lenetedge.core

import org.json.JSONArray
import org.json.JSONObject
import java.util.Locale

/** The machine of a report; null for what the system does not report. Fields as in docs/benchmark.md. */
data class Machine(
    val system: String,
    val architecture: String,
    val processor: String,
    val processors: Int,
    val board: String? = null,
    val memoryBytes: Long? = null,
)

/** The scores [stored] by [model] as [opening] ran it, a row for each picture. */
class Answers(
    val model: GoldenModel,
    val opening: Opening,
    val output: TensorEnd,
    val pictures: Pictures,
    val stored: List<FloatArray>,
    val seconds: Double,
)

/** What was read: golden.json's pictures, or the first of MNIST's test digits. */
enum class Pictures(val title: String) {
    GOLDEN("golden"),
    TEST_DIGITS("test digits"),
}

/**
 * A report that `lenet-edge benchmark --compare` and `lenet-edge parity --import` read (docs/benchmark.md, docs/parity.md).
 * [date]: ISO 8601 in UTC. [sentence] puts a reason into words.
 */
class ResultsJson(
    private val machine: Machine,
    private val runtimeVersion: String,
    private val appVersion: String,
    private val sentence: (Reason) -> String,
) {
    /**
     * Returns the report; of [checks] with the same request, the latest counts. A check of lines has times but no
     * answers: parity compares pictures of one digit.
     */
    fun of(date: String, checks: List<Check>, answers: List<Answers>): JSONObject {
        val last = checks.associateBy { it.opening.request }.values
        val digits = last.filter { it.opening.request.task == Task.DIGIT }.map { golden(it) }
        val models = (last.map { it.model } + answers.map { it.model }).distinct()
        return JSONObject()
            .put("format", "lenet-edge benchmark")
            .put("schema", 1)
            .put("date", date)
            .put("command", JSONArray(listOf("lenet-edge Android demo")))
            .put("versions", JSONObject().put("lenet-edge", appVersion))
            .put("machine", machine())
            .put("models", JSONObject().apply { models.forEach { put(it.title, facts(it)) } })
            .put("results", JSONArray(last.map { result(it) }))
            .put("failures", JSONArray())
            .put("profiles", JSONArray())
            .put("answers", JSONArray((digits + answers).map { answers(it) }))
    }

    private fun machine() = JSONObject()
        .put("system", machine.system)
        .put("architecture", machine.architecture)
        .put("processor", machine.processor)
        .put("processors", machine.processors)
        .put("board", machine.board ?: JSONObject.NULL)
        .put("memory_bytes", machine.memoryBytes ?: JSONObject.NULL)

    private fun facts(model: GoldenModel) = JSONObject().put("sha256", model.sha256).put("bytes", model.bytes)

    private fun golden(check: Check) = Answers(
        check.model,
        check.opening,
        check.output,
        Pictures.GOLDEN,
        check.stored,
        check.stored.size * check.run.mean / 1e6,
    )

    private fun ran(model: GoldenModel, opening: Opening) = JSONObject()
        .put("model", model.title)
        .put("runtime", "tflite")
        .put("version", runtimeVersion)
        .put("asked", opening.request.delegate.asked)
        .put("delegate", opening.used.title)
        .put("reason", opening.refusals.joinToString("; ") { sentence(it.reason) })
        .put("taken", opening.share.taken)
        .put("nodes", opening.share.nodes)
        .put("threads", opening.request.threads)

    private fun answers(of: Answers) = ran(of.model, of.opening)
        .put("seconds", of.seconds)
        .put("pictures", of.pictures.title)
        .put("type", of.output.type.name.lowercase())
        .put("scale", number(of.output.scale, TensorType.FLOAT32))
        .put("zero_point", of.output.zeroPoint)
        .put("scores", JSONArray(of.stored.map { row -> JSONArray(row.map { number(it, of.output.type) }) }))

    private fun result(check: Check) = ran(check.model, check.opening)
        .put("beside", "")
        .put("run", spread(check.run))
        .put("run_ratio", itself())
        .put("invoke", check.invoke?.let { spread(it) } ?: JSONObject.NULL)
        .put("invoke_ratio", if (check.invoke == null) JSONObject.NULL else itself())
        .put("loading", spread(check.loading))
        .put("loads", JSONArray(check.loads))
        .put("cold", JSONObject.NULL)

    /** Each check is timed by itself: beside nothing but itself. */
    private fun itself() = JSONObject().put("value", 1.0).put("low", 1.0).put("high", 1.0)

    private fun spread(of: Spread) = JSONObject()
        .put("p50", of.p50)
        .put("p90", of.p90)
        .put("p99", of.p99)
        .put("mean", of.mean)
        .put("smallest", of.smallest)
        .put("samples", of.samples)

    /** An integer, or a float in the nine digits that identify it; JSON has no NaN, and no limit admits one. */
    private fun number(value: Float, type: TensorType): Any = when {
        !value.isFinite() -> JSONObject.NULL
        type == TensorType.FLOAT32 -> String.format(Locale.ROOT, "%.9g", value).toDouble()
        else -> value.toInt()
    }
}
