package org.lenetedge.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Bundle
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.TextView
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.math.cos
import kotlin.math.sin

/** A phone with the app on it, and a user. */
class Stage(qualifiers: String = PORTRAIT, before: (TestApplication) -> Unit = {}) : AutoCloseable {
    val app: TestApplication
    private var controller: ActivityController<MainActivity>
    val activity: MainActivity get() = controller.get()
    val canvas get() = activity.view<DrawView>(R.id.canvas)

    init {
        RuntimeEnvironment.setQualifiers("+$qualifiers")
        app = RuntimeEnvironment.getApplication() as TestApplication
        before(app)
        controller = Robolectric.buildActivity(MainActivity::class.java).setup().visible()
        settle()
    }

    /** Lets the main thread run until [done]; the worker's thread runs anyway. */
    fun await(what: String, done: () -> Boolean) {
        val end = System.currentTimeMillis() + PATIENCE
        while (true) {
            settle()
            if (done()) return
            assertTrue("expected $what, got: ${everything()}", System.currentTimeMillis() < end)
            Thread.sleep(2)
        }
    }

    fun settle() = shadowOf(Looper.getMainLooper()).idleFor(1, TimeUnit.MILLISECONDS)

    /** Waits until the worker has read the last drawing and reported it. */
    fun awaitQuiet() {
        var last = ""
        var since = System.currentTimeMillis()
        await("quiet") {
            if (words(R.id.latency) != last) since = System.currentTimeMillis()
            last = words(R.id.latency)
            last.isNotEmpty() && System.currentTimeMillis() - since > QUIET
        }
    }

    fun words(id: Int): String =
        activity.view<TextView>(id).run { if (visibility == View.VISIBLE) text.toString() else "" }

    fun awaitRunning(words: String) = await(words) { words(R.id.running) == words }

    fun awaitDigit(digit: String) = await("the digit $digit") { words(R.id.digit) == digit }

    fun awaitString(text: String) = await("the string $text") { words(R.id.string) == text }

    fun awaitWarning(part: String) = await("the warning $part") { part in words(R.id.warning) }

    /** Draws with one finger through places given as shares of the canvas. */
    fun draw(vararg places: Pair<Float, Float>) {
        touch(MotionEvent.ACTION_DOWN, places.first())
        for ((from, to) in places.toList().zipWithNext()) {
            for (step in 1..STEPS) {
                val part = step / STEPS.toFloat()
                val x = from.first + (to.first - from.first) * part
                touch(MotionEvent.ACTION_MOVE, x to from.second + (to.second - from.second) * part)
            }
        }
        touch(MotionEvent.ACTION_UP, places.last())
    }

    fun touch(action: Int, vararg fingers: Pair<Float, Float>, flags: Int = 0): Boolean {
        val properties = Array(fingers.size) { MotionEvent.PointerProperties().apply { id = it } }
        val coordinates = Array(fingers.size) { i ->
            MotionEvent.PointerCoords().apply {
                x = fingers[i].first * canvas.width
                y = fingers[i].second * canvas.height
            }
        }
        val now = SystemClock.uptimeMillis()
        val event = MotionEvent.obtain(
            now, now, action, fingers.size, properties, coordinates, 0, 0, 1f, 1f, 0, 0, 0x1002, flags,
        )
        return canvas.dispatchTouchEvent(event).also { event.recycle() }
    }

    /** Moves a finger from the middle of [view] up or down by a share of the canvas, through the whole window. */
    fun drag(view: View, by: Float) {
        val place = IntArray(2).also { view.getLocationInWindow(it) }
        val x = place[0] + view.width / 2f
        val y = place[1] + view.height / 2f
        val start = SystemClock.uptimeMillis()
        for (step in 0..STEPS) {
            val action = if (step == 0) MotionEvent.ACTION_DOWN else MotionEvent.ACTION_MOVE
            val moved = by * canvas.height * step / STEPS
            window(MotionEvent.obtain(start, start + step * 10, action, x, y + moved, 0))
        }
        window(MotionEvent.obtain(start, start + 200, MotionEvent.ACTION_UP, x, y + by * canvas.height, 0))
    }

    private fun window(event: MotionEvent) {
        activity.dispatchTouchEvent(event)
        event.recycle()
        settle()
    }

    fun tap(id: Int) {
        assertTrue("expected to be enabled", activity.view<View>(id).isEnabled)
        activity.view<View>(id).performClick()
        settle()
    }

    /** Taps on the choice called [label]. */
    fun choose(group: Int, label: String) {
        choices(group).single { it.text.toString() == label }.performClick()
        settle()
    }

    fun chosen(group: Int): String = choices(group).single { it.isChecked }.text.toString()

    private fun choices(group: Int) = activity.view<RadioGroup>(group).let { row ->
        List(row.childCount) { row.getChildAt(it) as RadioButton }
    }

    /** Turns the screen, or changes whatever else [qualifiers] say. */
    fun turn(qualifiers: String) {
        RuntimeEnvironment.setQualifiers("+$qualifiers")
        controller.configurationChange().visible()
        settle()
    }

    /** What the system keeps of the activity. */
    fun saved(): Bundle = Bundle().also { controller.saveInstanceState(it) }

    /** The system ends the app in the background, and the user comes back. */
    fun dieAndReturn() {
        controller.pause().stop()
        val saved = saved()
        controller.destroy()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup(saved).visible()
        settle()
    }

    /** Draws the whole window to screens/[name].png, after checking for cut-off words and small buttons. */
    fun picture(name: String) {
        await("the layout") { views().none { it.isShown && it.isLayoutRequested } }
        for (view in views().filter { it.isShown }) {
            if (view is TextView) {
                val row = (view.parent as View).width
                val sizes = "${view.width}x${view.height} in $row, text ${view.layout?.width}"
                assertFalse("$name: expected all of \"${view.text}\" to be seen, got $sizes", cut(view))
            }
            val large = minOf(view.width, view.height) >= LEAST_DP * activity.resources.displayMetrics.density
            assertTrue("expected 48dp for a finger, got $view", large || !view.isClickable)
        }
        val decor = activity.window.decorView
        val bitmap = Bitmap.createBitmap(decor.width, decor.height, Bitmap.Config.ARGB_8888)
        decor.draw(Canvas(bitmap))
        save(bitmap, name)
    }

    private fun cut(view: TextView): Boolean {
        val lines = view.layout ?: return true
        val room = view.width - view.paddingLeft - view.paddingRight + 1
        val wide = (0 until lines.lineCount).any { lines.getLineMax(it) > room }
        return wide || lines.height > view.height - view.paddingTop - view.paddingBottom
    }

    /** All views of the window. */
    fun views(): List<View> = views(activity.window.decorView)

    private fun views(view: View): List<View> {
        if (view !is ViewGroup) return listOf(view)
        return listOf(view) + List(view.childCount) { view.getChildAt(it) }.flatMap { views(it) }
    }

    private fun everything() =
        views().filterIsInstance<TextView>().filter { it.isShown }.joinToString(" | ") { it.text }

    override fun close() {
        controller.pause().stop().destroy()
    }

    companion object {
        const val PORTRAIT = "en-w411dp-h891dp-port-notnight-420dpi"
        const val LANDSCAPE = "w891dp-h411dp-land"
        const val XNNPACK_RUNS = "XNNPACK runs 18 of 18 nodes"
        const val PLAIN_RUNS = "The interpreter’s own kernels run all 18 nodes"
        val ONE = arrayOf(0.5f to 0.15f, 0.5f to 0.85f)
        val SEVEN = arrayOf(0.25f to 0.2f, 0.75f to 0.2f, 0.45f to 0.85f)
        val FIVE = (
            listOf(0.68f to 0.2f, 0.38f to 0.2f, 0.35f to 0.46f) +
                (-13..16).map { 0.47f + 0.2f * cos(it * 0.1f) to 0.62f + 0.2f * sin(it * 0.1f) } +
                listOf(0.34f to 0.78f)
            ).toTypedArray()

        /** Three ones for the wide canvas. */
        val ONES = List(3) { i ->
            val x = 0.2f + 0.2f * i
            arrayOf(x to 0.25f, x to 0.75f)
        }

        private val TWO = arc(0.5f to 0.36f, 0.19f, -170..30) + arrayOf(0.3f to 0.84f, 0.72f to 0.84f)
        private val THREE = arc(0.47f to 0.34f, 0.17f, -150..80) + arc(0.47f to 0.67f, 0.2f, -80..150)

        /** A stroke for each digit of 57123, for the wide canvas. */
        val NUMBER = listOf(FIVE, SEVEN, ONE, TWO, THREE).mapIndexed { i, digit ->
            digit.map { (x, y) -> 0.13f + 0.18f * i + 0.36f * (x - 0.5f) to 0.13f + 0.72f * y }.toTypedArray()
        }

        private fun arc(middle: Pair<Float, Float>, radius: Float, degrees: IntProgression) =
            (degrees step 10).map { Math.toRadians(it.toDouble()) }.map { angle ->
                middle.first + radius * cos(angle).toFloat() to middle.second + radius * sin(angle).toFloat()
            }.toTypedArray()

        private const val QUIET = 300L
        private const val PATIENCE = 30_000L
        private const val LEAST_DP = 47.5f
        private const val STEPS = 12
    }
}

/** Writes screens/[name].png. */
fun save(bitmap: Bitmap, name: String) {
    val file = File(System.getProperty("screens", "build/screens"), "$name.png")
    file.parentFile?.mkdirs()
    file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
}
