package org.lenetedge.demo

import org.junit.Assume.assumeTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.lenetedge.core.Model
import org.lenetedge.core.Runtime
import org.lenetedge.demo.Stage.Companion.FIVE
import org.lenetedge.demo.Stage.Companion.ONE
import org.lenetedge.demo.Stage.Companion.PORTRAIT
import org.lenetedge.demo.Stage.Companion.SEVEN
import org.robolectric.RobolectricTestRunner
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
    fun `a five, by day and by night`() {
        val forms = listOf("five" to PORTRAIT, "five_dark" to PORTRAIT.replace("notnight", "night"))
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
}
