package org.lenetedge.demo

import android.view.MotionEvent
import android.view.View
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.lenetedge.core.Delegate
import org.lenetedge.core.EMPTY
import org.lenetedge.core.Task
import org.lenetedge.demo.Stage.Companion.LANDSCAPE
import org.lenetedge.demo.Stage.Companion.ONE
import org.lenetedge.demo.Stage.Companion.ONES
import org.lenetedge.demo.Stage.Companion.XNNPACK_RUNS
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.nio.ByteBuffer

/** The wide canvas. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = TestApplication::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class LineTest {
    private val wide = TestApplication.strings.file
    private val lines = TestApplication.strings.lines.size

    @Test
    fun `a line is read while it is written, and each digit has its box and probability`() = line().use {
        it.touch(MotionEvent.ACTION_DOWN, ONES[0][0])
        it.touch(MotionEvent.ACTION_MOVE, ONES[0][1])
        it.awaitString("1")
        it.touch(MotionEvent.ACTION_UP, ONES[0][1])
        it.write()
        assertEquals("Read as 1 1 1", it.activity.view<View>(R.id.string).contentDescription)
        val read = it.canvas.read
        assertEquals(listOf("1", "1", "1"), read.map { label -> label.digit })
        assertTrue("got $read", read.all { label -> label.share.endsWith("%") && label.sure })
        for ((label, stroke) in read.zip(ONES)) {
            assertTrue("$label has ${stroke[0]}", stroke[0].first in label.box.left..label.box.right)
            assertTrue("$label has ${stroke[0]}", stroke[0].second / 2 in label.box.top..label.box.bottom)
        }
        val spoken = it.canvas.contentDescription.toString()
        assertTrue(
            spoken,
            spoken.startsWith("Canvas with a drawing. Read as 1 1 1. Probability of each digit: 1: "),
        )
    }

    @Test
    fun `undo and clear take strokes back, and an empty canvas says what to do`() = line().use {
        it.write()
        it.tap(R.id.undo)
        it.awaitString("11")
        it.tap(R.id.clear)
        it.awaitString("–")
        assertEquals(emptyList<Label>(), it.canvas.read)
        assertEquals("Wide canvas, empty. Write a number with a finger.", it.canvas.contentDescription)
    }

    @Test
    fun `below the threshold of strings json it says unsure`() = line { it.fake.sureness = 0.7f }.use {
        it.write()
        assertTrue(it.words(R.id.string_sureness), it.words(R.id.string_sureness).startsWith("unsure, "))
        assertEquals("Unsure, perhaps 1 1 1", it.activity.view<View>(R.id.string).contentDescription)
        assertFalse(it.canvas.read.any { label -> label.sure })
    }

    @Test
    fun `scribble without a digit says so`() = line { it.fake.inked = EMPTY }.use {
        it.draw(*ONES[0])
        it.await("no digit") { it.words(R.id.string_sureness) == "No digit found" }
        assertEquals("–", it.words(R.id.string))
        assertEquals("Canvas with a drawing. Nothing read yet", it.canvas.contentDescription)
    }

    @Test
    fun `each canvas keeps its own drawing and answer, and the wide one is wide`() = Stage().use {
        it.draw(*ONE)
        it.awaitDigit("1")
        assertEquals(it.canvas.width, it.canvas.height)
        it.choose(R.id.tasks, "A line")
        it.awaitWide()
        assertTrue(it.canvas.drawing.isEmpty)
        assertEquals(it.canvas.width, 2 * it.canvas.height)
        it.write()
        it.choose(R.id.tasks, "One digit")
        it.awaitDigit("1")
        assertEquals(1, it.canvas.drawing.strokes.size)
        assertEquals(emptyList<Label>(), it.canvas.read)
        it.choose(R.id.tasks, "A line")
        it.awaitString("111")
        assertEquals(1, it.app.fake.stillOpen.size)
    }

    @Test
    fun `one canvas shows the models to choose, the other says what its net does`() = Stage().use {
        val about = it.activity.view<TextView>(R.id.about_model)
        val sentences = listOf("int8", "float16", "float32", "int8_qat").map { model ->
            it.choose(R.id.models, model)
            about.text.toString()
        }
        assertEquals(4, sentences.toSet().size)
        it.choose(R.id.tasks, "A line")
        assertEquals(View.GONE, it.activity.view<View>(R.id.models).visibility)
        assertTrue(about.text.toString(), "whole line" in about.text)
        assertEquals(View.GONE, it.activity.view<View>(R.id.digit_result).visibility)
        it.choose(R.id.tasks, "One digit")
        assertEquals(View.VISIBLE, it.activity.view<View>(R.id.models).visibility)
        assertEquals(View.GONE, it.activity.view<View>(R.id.line_result).visibility)
        assertEquals(sentences.last(), about.text.toString())
    }

    @Test
    fun `the wide canvas outlives a turn and the app`() = line().use {
        it.write()
        it.turn(LANDSCAPE)
        it.awaitString("111")
        assertEquals(3, it.canvas.read.size)
        it.choose(R.id.tasks, "One digit")
        it.draw(*ONE)
        it.awaitDigit("1")
        it.choose(R.id.tasks, "A line")
        it.dieAndReturn()
        it.awaitString("111")
        assertEquals("A line", it.chosen(R.id.tasks))
        it.choose(R.id.tasks, "One digit")
        it.awaitDigit("1")
    }

    @Test
    fun `a delegate falls back for lines as it does for digits`() = line().use {
        it.app.fake.wrong = { delegate -> if (delegate == Delegate.GPU) 1 else 0 }
        it.choose(R.id.delegates, "GPU")
        it.awaitWarning("For 1 of $lines pictures its scores are further off than rounding explains.")
        it.awaitRunning(XNNPACK_RUNS)
        it.write()
        it.app.fake.reading = { delegate -> check(delegate != Delegate.XNNPACK) { "gone" } }
        it.tap(R.id.undo)
        it.awaitWarning("XNNPACK does not run. Running it failed: gone")
        it.awaitString("11")
    }

    @Test
    fun `a check reads the golden lines, and its times can be shared`() = line().use {
        it.tap(R.id.check)
        val all = "$lines of $lines pictures within their limits; $lines equal to TensorFlow, byte for byte"
        val words = "Passed on XNNPACK. $all"
        it.await("the verdict") { words in it.words(R.id.verdict) }
        assertTrue(it.activity.view<View>(R.id.share).isEnabled)
    }

    @Test
    fun `a file for lines that cannot be used is a sentence, and digits are read all the same`() {
        for (content in listOf(null, ByteBuffer.allocateDirect(10))) {
            Stage { app ->
                app.settings.request = app.settings.request.copy(task = Task.LINE)
                app.spoilt[wide] = content
            }.use {
                it.awaitWarning("Install the app again.")
                assertTrue(it.words(R.id.warning), wide in it.words(R.id.warning))
                it.draw(*ONES[0])
                it.settle()
                assertEquals("–", it.words(R.id.string))
                it.choose(R.id.tasks, "One digit")
                it.draw(*ONE)
                it.awaitDigit("1")
            }
        }
    }

    @Test
    fun `damaged golden lines are a sentence`() {
        for (content in listOf(null, "{", """{"format": 2}""")) {
            Stage { app ->
                app.settings.request = app.settings.request.copy(task = Task.LINE)
                app.spoilt["strings.json"] = content?.let { ByteBuffer.wrap(it.toByteArray()) }
            }.use { it.awaitWarning("The app’s test pictures are missing or damaged") }
        }
    }

    private fun line(before: (TestApplication) -> Unit = {}): Stage {
        val stage = Stage { app ->
            app.settings.request = app.settings.request.copy(task = Task.LINE)
            before(app)
        }
        stage.awaitWide()
        return stage
    }

    private fun Stage.awaitWide() =
        await("the net for lines") { app.fake.stillOpen.singleOrNull()?.model?.file == wide }

    private fun Stage.write() {
        tap(R.id.clear)
        for (stroke in ONES) draw(*stroke)
        awaitString("111")
    }
}
