package org.lenetedge.demo

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.TextView
import org.lenetedge.core.Delegate
import org.lenetedge.core.Ink
import org.lenetedge.core.PICTURE
import org.lenetedge.core.Request
import org.lenetedge.core.Task

/** Shows the worker's state in the views of [activity]. */
class Screen(private val activity: Activity) {
    private val words = Words(activity.resources)
    private val digit = activity.view<TextView>(R.id.digit)
    private val sureness = activity.view<TextView>(R.id.sureness)
    private val string = activity.view<TextView>(R.id.string)
    private val stringSureness = activity.view<TextView>(R.id.string_sureness)
    private val canvas = activity.view<DrawView>(R.id.canvas)
    private val running = activity.view<TextView>(R.id.running)
    private val warning = activity.view<TextView>(R.id.warning)
    private val latency = activity.view<TextView>(R.id.latency)
    private val verdict = activity.view<TextView>(R.id.verdict)
    private val check = activity.view<Button>(R.id.check)
    private val share = activity.view<Button>(R.id.share)

    /** Shows the [state] of what was [asked] for. */
    fun show(state: State, asked: Request) {
        val line = asked.task == Task.LINE
        activity.view<View>(R.id.digit_result).visibility = if (line) View.GONE else View.VISIBLE
        activity.view<View>(R.id.line_result).visibility = if (line) View.VISIBLE else View.GONE
        activity.view<View>(R.id.models).visibility = if (line) View.GONE else View.VISIBLE
        activity.view<TextView>(R.id.about_model).say(words.about(asked))
        if (line) showLine(state.seen as? Seen.Text) else showDigit(state.seen as? Seen.Digit)
        showRunning(state, asked)
        showWarnings(state, asked.delegate)
        showCheck(state)
    }

    private fun showDigit(seen: Seen.Digit?) {
        val answer = seen?.answer
        show(digit, sureness, answer?.let { words.digit(it.digit) }, answer?.sure)
        sureness.say(answer?.let { sureness(it.probability.toDouble(), it.sure) }.orEmpty())
        val spoken = spoken(answer?.let { words.digit(it.digit) }, answer?.sure)
        digit.describe(spoken)
        activity.view<BarsView>(R.id.bars).show(answer)
        activity.view<PictureView>(R.id.picture).show(seen?.let { Ink(PICTURE, PICTURE, it.picture) })
        canvas.read = emptyList()
        describeCanvas(R.string.canvas_empty, spoken)
    }

    private fun showLine(seen: Seen.Text?) {
        val found = seen?.reading?.string
        val sure = seen?.reading?.sure
        val text = found?.digits?.joinToString("") { words.digit(it.digit) }?.ifEmpty { null }
        show(string, stringSureness, text, sure)
        stringSureness.say(
            when {
                found == null -> ""
                text == null -> activity.getString(R.string.no_digit_found)
                else -> sureness(found.probability, sure == true)
            },
        )
        val spoken =
            spoken(found?.digits?.joinToString(" ") { words.digit(it.digit) }?.ifEmpty { null }, sure)
        string.describe(spoken)
        activity.view<PictureView>(R.id.strip).show(seen?.line?.ink)
        canvas.read = seen?.let { labels(it) }.orEmpty()
        val each = canvas.read.joinToString("; ") { activity.getString(R.string.bar, it.digit, it.share) }
        val all = if (each.isEmpty()) spoken else "$spoken. ${activity.getString(R.string.bars, each)}"
        describeCanvas(R.string.line_empty, all)
    }

    private fun labels(seen: Seen.Text): List<Label> = seen.reading.string.digits.map {
        val share = words.percent(it.probability)
        Label(seen.line.boxOf(it), words.digit(it.digit), share, seen.reading.sure)
    }

    private fun show(answer: TextView, sureness: TextView, text: String?, sure: Boolean?) {
        val colour = if (sure == false) R.color.unsure else R.color.accent
        answer.say(text ?: activity.getString(R.string.no_digit))
        answer.setTextColor(activity.getColor(if (text == null) R.color.quiet else colour))
        sureness.setTextColor(activity.getColor(if (sure == false) R.color.unsure else R.color.quiet))
    }

    private fun describeCanvas(empty: Int, spoken: String) = canvas.describe(
        if (canvas.drawing.isEmpty) {
            activity.getString(empty)
        } else {
            activity.getString(R.string.canvas_drawn, spoken)
        },
    )

    private fun sureness(probability: Double, sure: Boolean): String {
        val percent = words.percent(probability)
        return if (sure) percent else activity.getString(R.string.unsure, percent)
    }

    private fun spoken(text: String?, sure: Boolean?): String = when {
        text == null -> activity.getString(R.string.nothing_read)
        sure == true -> activity.getString(R.string.read_as, text)
        else -> activity.getString(R.string.read_unsure, text)
    }

    private fun showRunning(state: State, asked: Request) {
        val opening = state.opening
        running.sayOrHide(
            when {
                opening != null -> words.running(opening)
                state.trouble == null -> words.opening(asked)
                else -> null
            },
        )
        latency.sayOrHide(state.times?.let { words.times(it) })
    }

    private fun showWarnings(state: State, asked: Delegate) {
        val refusals = state.opening?.refusals.orEmpty().map { words.refused(it) }
        val others = listOfNotNull(state.trouble?.let { words.trouble(it) }, words.notice(asked))
        warning.sayOrHide((refusals + others).joinToString("\n").ifEmpty { null })
    }

    private fun showCheck(state: State) {
        check.isEnabled = state.opening != null && state.checking == null
        share.isEnabled = state.checked != null
        verdict.say(
            when {
                state.checking != null -> words.checking(state.checking)
                state.checked != null -> words.verdict(state.checked.check)
                state.trouble != null -> activity.getString(R.string.check_impossible)
                else -> activity.getString(R.string.check_first)
            },
        )
    }

    private fun TextView.sayOrHide(sentence: String?) {
        visibility = if (sentence == null) View.GONE else View.VISIBLE
        say(sentence.orEmpty())
    }

    /** A screen reader reads out every text that is set, so unchanged text must not be set again. */
    private fun TextView.say(sentence: String) {
        if (text.toString() != sentence) text = sentence
    }

    private fun View.describe(sentence: String) {
        if (contentDescription != sentence) contentDescription = sentence
    }
}
