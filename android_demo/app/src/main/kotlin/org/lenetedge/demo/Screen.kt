package org.lenetedge.demo

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.TextView
import org.lenetedge.core.Answer
import org.lenetedge.core.Delegate
import org.lenetedge.core.Request

/** Shows the worker's state in the views of [activity]. */
class Screen(private val activity: Activity) {
    private val words = Words(activity.resources)
    private val digit = activity.view<TextView>(R.id.digit)
    private val sureness = activity.view<TextView>(R.id.sureness)
    private val running = activity.view<TextView>(R.id.running)
    private val warning = activity.view<TextView>(R.id.warning)
    private val latency = activity.view<TextView>(R.id.latency)
    private val verdict = activity.view<TextView>(R.id.verdict)
    private val check = activity.view<Button>(R.id.check)
    private val share = activity.view<Button>(R.id.share)

    /** Shows the [state] of what was [asked] for. */
    fun show(state: State, asked: Request) {
        showAnswer(state.seen?.answer)
        activity.view<PictureView>(R.id.picture).show(state.seen?.picture)
        showRunning(state, asked)
        showWarnings(state, asked.delegate)
        showCheck(state)
    }

    private fun showAnswer(answer: Answer?) {
        val colour = if (answer?.sure == false) R.color.unsure else R.color.accent
        digit.say(answer?.let { words.digit(it.digit) } ?: activity.getString(R.string.no_digit))
        digit.setTextColor(activity.getColor(if (answer == null) R.color.quiet else colour))
        digit.describe(spoken(answer))
        sureness.say(answer?.let { sureness(it) }.orEmpty())
        sureness.setTextColor(activity.getColor(if (answer?.sure == false) R.color.unsure else R.color.quiet))
        activity.view<BarsView>(R.id.bars).show(answer)
        val canvas = activity.view<DrawView>(R.id.canvas)
        canvas.describe(
            if (canvas.drawing.isEmpty) {
                activity.getString(R.string.canvas_empty)
            } else {
                activity.getString(R.string.canvas_drawn, spoken(answer))
            },
        )
    }

    private fun sureness(answer: Answer): String {
        val percent = words.percent(answer.probability)
        return if (answer.sure) percent else activity.getString(R.string.unsure, percent)
    }

    private fun spoken(answer: Answer?): String = when {
        answer == null -> activity.getString(R.string.nothing_read)
        answer.sure -> activity.getString(R.string.read_as, words.digit(answer.digit))
        else -> activity.getString(R.string.read_unsure, words.digit(answer.digit))
    }

    private fun showRunning(state: State, asked: Request) {
        val opening = state.opening
        running.sayOrHide(
            when {
                opening != null -> words.running(opening)
                state.trouble == null -> activity.getString(R.string.opening, asked.model.file)
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
