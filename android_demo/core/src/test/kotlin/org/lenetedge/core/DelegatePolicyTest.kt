package org.lenetedge.core

import org.junit.Assert.assertEquals
import org.junit.Test

class DelegatePolicyTest {
    private val phone = Offer(apiLevel = 35, gpuListed = true)

    @Test
    fun everyDelegateOfAWillingPhoneIsTried() {
        for (delegate in Delegate.values()) assertEquals(Decision.Try, decide(delegate, phone, null))
    }

    @Test
    fun aGraphicsProcessorThatIsNotListedIsNotTried() {
        val offer = phone.copy(gpuListed = false)
        assertEquals(Decision.FallBack(Delegate.XNNPACK, Reason.NotListed), decide(Delegate.GPU, offer, null))
        val others = Delegate.values().filter { it != Delegate.GPU }
        for (other in others) assertEquals(Decision.Try, decide(other, offer, null))
    }

    @Test
    fun nnapiIsNotTriedBeforeAndroid8Point1() {
        val reason = Reason.TooOld(needs = 27, has = 26)
        assertEquals(
            Decision.FallBack(Delegate.XNNPACK, reason),
            decide(Delegate.NNAPI, phone.copy(apiLevel = 26), null),
        )
        assertEquals(Decision.Try, decide(Delegate.NNAPI, phone.copy(apiLevel = 27), null))
    }

    @Test
    fun aDelegateThatEndedTheAppIsNotTriedAgain() {
        val offer = phone.copy(ended = setOf(Delegate.GPU, Delegate.XNNPACK))
        assertEquals(
            Decision.FallBack(Delegate.XNNPACK, Reason.EndedTheApp),
            decide(Delegate.GPU, offer, null),
        )
        assertEquals(
            Decision.FallBack(Delegate.NONE, Reason.EndedTheApp),
            decide(Delegate.XNNPACK, offer, null),
        )
        assertEquals(Decision.Try, decide(Delegate.NNAPI, offer, null))
    }

    @Test
    fun whatFailsFallsBackAndSaysWhy() {
        val failures = mapOf(
            Trial.NotCreated("no OpenCL") to Reason.NotCreated("no OpenCL"),
            Trial.RunFailed("lost context") to Reason.RunFailed("lost context"),
            Trial.Deviates(Plan(16, 1), 3, 23) to Reason.Deviates(3, 23),
        )
        for ((trial, reason) in failures) {
            assertEquals(Decision.FallBack(Delegate.XNNPACK, reason), decide(Delegate.GPU, phone, trial))
            assertEquals(Decision.FallBack(Delegate.XNNPACK, reason), decide(Delegate.NNAPI, phone, trial))
            assertEquals(Decision.FallBack(Delegate.NONE, reason), decide(Delegate.XNNPACK, phone, trial))
            assertEquals(Decision.GiveUp(reason), decide(Delegate.NONE, phone, trial))
        }
    }

    @Test
    fun aDelegateThatTakesNothingIsNotNamed() {
        val nothing = Trial.Ran(Plan(nodes = 18, left = 18))
        val reason = Reason.TookNothing(18)
        assertEquals(Decision.FallBack(Delegate.XNNPACK, reason), decide(Delegate.NNAPI, phone, nothing))
        assertEquals(Decision.FallBack(Delegate.NONE, reason), decide(Delegate.XNNPACK, phone, nothing))
        assertEquals(Decision.Use(Share(0, 18)), decide(Delegate.NONE, phone, nothing))
    }

    @Test
    fun aDelegateThatTakesAllIsNamed() {
        val all = Trial.Ran(Plan(nodes = 16, left = 1))
        assertEquals(Decision.Use(Share(16, 16)), decide(Delegate.GPU, phone, all))
    }

    @Test
    fun aDelegateThatTakesSomeIsNamedWithTheLeastThatItTakes() {
        val some = Trial.Ran(Plan(nodes = 18, left = 4))
        assertEquals(Decision.Use(Share(15, 18, exact = false)), decide(Delegate.XNNPACK, phone, some))
    }
}
