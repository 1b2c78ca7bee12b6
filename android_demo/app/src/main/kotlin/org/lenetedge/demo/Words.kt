package org.lenetedge.demo

import android.content.res.Resources
import android.os.Build
import org.lenetedge.core.BadModel
import org.lenetedge.core.Check
import org.lenetedge.core.Delegate
import org.lenetedge.core.LOADS
import org.lenetedge.core.Model
import org.lenetedge.core.NNAPI_DEPRECATED_SINCE
import org.lenetedge.core.Opening
import org.lenetedge.core.Reason
import org.lenetedge.core.Refusal
import org.lenetedge.core.Request
import org.lenetedge.core.Task
import org.lenetedge.core.TensorType
import java.math.RoundingMode
import java.text.NumberFormat
import java.util.Locale

/** Sentences and numbers in the user's language. */
class Words(private val resources: Resources) {
    private val locale: Locale = resources.configuration.locales[0]
    private val percents = NumberFormat.getPercentInstance(locale).apply {
        maximumFractionDigits = 1
        roundingMode = RoundingMode.DOWN // less than all is not 100 %
    }
    private val twoDigits = NumberFormat.getNumberInstance(locale).apply {
        minimumFractionDigits = 2
        maximumFractionDigits = 2
    }

    fun percent(share: Float): String = percent(share.toDouble())

    fun percent(share: Double): String = percents.format(share)

    fun digit(digit: Int): String = NumberFormat.getIntegerInstance(locale).format(digit)

    fun task(task: Task): String = resources.getString(
        when (task) {
            Task.DIGIT -> R.string.task_digit
            Task.LINE -> R.string.task_line
        },
    )

    /** What is special about the model that is asked for, in a sentence. */
    fun about(asked: Request): String = resources.getString(
        when {
            asked.task == Task.LINE -> R.string.about_wide
            asked.model == Model.INT8_QAT -> R.string.about_int8_qat
            asked.model == Model.INT8 -> R.string.about_int8
            asked.model == Model.FLOAT16 -> R.string.about_float16
            else -> R.string.about_float32
        },
    )

    fun delegate(delegate: Delegate): String = resources.getString(
        when (delegate) {
            Delegate.NONE -> R.string.delegate_none
            Delegate.XNNPACK -> R.string.delegate_xnnpack
            Delegate.GPU -> R.string.delegate_gpu
            Delegate.NNAPI -> R.string.delegate_nnapi
        },
    )

    fun opening(asked: Request): String = when (asked.task) {
        Task.DIGIT -> resources.getString(R.string.opening, asked.model.file)
        Task.LINE -> resources.getString(R.string.opening_wide)
    }

    /** What really runs. */
    fun running(opening: Opening): String {
        val (taken, nodes) = opening.share
        val plain = opening.used == Delegate.NONE
        if (plain) return resources.getQuantityString(R.plurals.runs_plain, nodes, nodes)
        val form = if (opening.share.exact) R.plurals.runs_exactly else R.plurals.runs_at_least
        return resources.getQuantityString(form, nodes, delegate(opening.used), taken, nodes)
    }

    fun refused(refusal: Refusal): String =
        resources.getString(R.string.refused, delegate(refusal.delegate), reason(refusal.reason))

    /** What to tell about a delegate that was asked for; null for nothing. */
    fun notice(asked: Delegate): String? {
        val deprecated = asked == Delegate.NNAPI && Build.VERSION.SDK_INT >= NNAPI_DEPRECATED_SINCE
        return if (deprecated) resources.getString(R.string.nnapi_deprecated) else null
    }

    fun reason(reason: Reason): String = when (reason) {
        is Reason.TooOld -> resources.getString(R.string.reason_too_old, reason.needs, reason.has)
        Reason.NotListed -> resources.getString(R.string.reason_not_listed)
        Reason.EndedTheApp -> resources.getString(R.string.reason_ended_the_app)
        is Reason.NotCreated -> resources.getString(R.string.reason_not_created, reason.why)
        is Reason.TookNothing ->
            resources.getQuantityString(R.plurals.reason_took_nothing, reason.nodes, reason.nodes)
        is Reason.RunFailed -> resources.getString(R.string.reason_run_failed, reason.why)
        is Reason.Deviates ->
            resources.getQuantityString(
                R.plurals.reason_deviates,
                reason.pictures,
                reason.pictures,
                reason.of,
            )
    }

    fun trouble(trouble: Trouble): String = when (trouble) {
        is Trouble.BadFile -> {
            val advice = if (trouble.others) R.string.choose_another else R.string.install_again
            resources.getString(sentence(trouble.fault), trouble.file, resources.getString(advice))
        }
        is Trouble.Untrusted -> resources.getString(R.string.no_answer, reason(trouble.reason))
        Trouble.GoldenDamaged -> resources.getString(R.string.golden_damaged)
    }

    private fun sentence(fault: BadModel.Fault): Int = when (fault) {
        BadModel.Fault.MISSING -> R.string.model_missing
        BadModel.Fault.TRUNCATED -> R.string.model_truncated
        BadModel.Fault.ANOTHER -> R.string.model_another
    }

    fun times(times: Times): String = resources.getQuantityString(
        R.plurals.latency,
        times.runs,
        milliseconds(times.preparing),
        milliseconds(times.inference),
        milliseconds(times.inference95),
        times.runs,
    )

    fun checking(done: Int): String = resources.getString(R.string.checking, done + 1, LOADS)

    /** The verdict of a check and its times. */
    fun verdict(check: Check): String {
        val verdict = check.verdict
        val word = if (verdict.outside == 0) R.string.passed else R.string.failed
        val within = verdict.pictures - verdict.outside
        val pictures = resources.getQuantityString(
            R.plurals.within,
            verdict.pictures,
            within,
            verdict.pictures,
        )
        return resources.getString(
            R.string.verdict,
            resources.getString(word, delegate(check.opening.used)),
            if (check.output.type == TensorType.FLOAT32) pictures else withSame(pictures, verdict.same),
            resources.getString(
                R.string.check_times,
                milliseconds(check.run.p50),
                milliseconds(check.run.p90),
                milliseconds(check.loading.p50),
            ),
        )
    }

    private fun withSame(pictures: String, same: Int): String =
        resources.getString(R.string.and_same, pictures, resources.getString(R.string.same, same))

    private fun milliseconds(micros: Double): String =
        resources.getString(R.string.milliseconds, twoDigits.format(micros / 1000))
}
