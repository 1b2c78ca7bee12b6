package org.lenetedge.demo

import org.junit.Assert.assertEquals
import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.lenetedge.core.Delegate
import org.lenetedge.core.Model
import org.lenetedge.core.Runtime
import org.lenetedge.demo.Stage.Companion.FIVE
import org.lenetedge.demo.Stage.Companion.ONE
import org.lenetedge.demo.Stage.Companion.PORTRAIT
import org.lenetedge.demo.Stage.Companion.SEVEN
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The activity with TensorFlow Lite's own Android library. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], application = RealInterpreterTest.Real::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class RealInterpreterTest {
    class Real : TestApplication() {
        override fun runtime(): Runtime = LiteRuntime()
    }

    @Before
    fun `only where Maven has made the library loadable`() =
        assumeTrue("expected the property native", System.getProperty("native") != null)

    @Test
    fun `digits that are drawn are read by every model, with XNNPACK and without`() = Stage().use {
        val running = mapOf("XNNPACK" to "XNNPACK runs", "CPU" to "The interpreter’s own kernels run all")
        for ((delegate, words) in running) {
            it.choose(R.id.delegates, delegate)
            for (model in Model.entries) {
                it.choose(R.id.models, model.label)
                it.draw(*ONE)
                it.awaitDigit("1")
                it.tap(R.id.clear)
                it.draw(*SEVEN)
                it.awaitDigit("7")
                it.await(words) { words in it.words(R.id.running) }
                it.tap(R.id.clear)
            }
        }
    }

    @Test
    fun `a number that is written is read with every delegate, and in every form of the screen`() {
        for ((name, form) in FORMS) {
            RuntimeEnvironment.setFontScale(if ("large" in name) 1.5f else 1f)
            Stage(form).use {
                it.choose(R.id.tasks, words(it, R.string.task_line))
                for (stroke in Stage.NUMBER) it.draw(*stroke)
                it.awaitString("57123")
                assertEquals(listOf("5", "7", "1", "2", "3"), it.canvas.read.map { label -> label.digit })
                it.choose(R.id.delegates, words(it, R.string.delegate_none))
                it.await("the interpreter's own kernels") {
                    it.app.settings.request.delegate == Delegate.NONE
                }
                it.awaitString("57123")
                it.choose(R.id.delegates, "XNNPACK")
                it.awaitString("57123")
                it.awaitQuiet()
                it.picture(name)
            }
        }
    }

    @Test
    fun `a check of the net for lines passes`() = Stage().use {
        it.choose(R.id.tasks, "A line")
        it.await("the net for lines") { "XNNPACK runs" in it.words(R.id.running) }
        it.tap(R.id.check)
        it.await("the verdict") { "Passed on XNNPACK. $lines of $lines pictures" in it.words(R.id.verdict) }
    }

    private val lines = TestApplication.strings.lines.size

    private fun words(stage: Stage, id: Int) = stage.activity.getString(id)

    @Test
    fun `a five, by day and by night`() {
        val forms = listOf("five" to PORTRAIT, "five_dark" to DARK)
        for ((name, form) in forms) {
            Stage(form).use {
                it.draw(*FIVE)
                it.awaitDigit("5")
                it.awaitQuiet()
                it.picture(name)
                it.tap(R.id.check)
                it.await("the verdict") { "Passed on XNNPACK. 23 of 23 pictures" in it.words(R.id.verdict) }
            }
        }
    }

    private companion object {
        val DARK = PORTRAIT.replace("notnight", "night")
        val FORMS = mapOf(
            "line" to PORTRAIT,
            "line_dark" to DARK,
            "line_large_letters" to PORTRAIT.replace("h891dp", "h1400dp"),
            "line_narrow" to "en-sw320dp-w320dp-h1000dp-port-notnight-xhdpi",
            "line_landscape" to "en-w891dp-h411dp-land-notnight-420dpi",
            "line_tablet" to "en-sw800dp-w1280dp-h800dp-land-notnight-xhdpi",
            "line_german" to "de-sw411dp-w411dp-h1200dp-port-night-420dpi",
        )
    }
}
