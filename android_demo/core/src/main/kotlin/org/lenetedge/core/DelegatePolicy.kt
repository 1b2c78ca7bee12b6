package org.lenetedge.core

/** NNAPI came with Android 8.1. */
const val NNAPI_SINCE = 27

/** From Android 15 on NNAPI is deprecated; it still works there. */
const val NNAPI_DEPRECATED_SINCE = 35

/**
 * What the device offers: its [apiLevel], whether TensorFlow Lite's list says that its graphics processor is
 * compatible, and the delegates that crashed ([ended]) the whole app when they were last tried.
 */
data class Offer(val apiLevel: Int, val gpuListed: Boolean, val ended: Set<Delegate> = emptySet())

/** What happened when a delegate was tried. */
sealed interface Trial {
    /** The interpreter or its delegate could not be created; [why] in the runtime's words. */
    data class NotCreated(val why: String) : Trial

    /** It was created, it ran, and its scores are within the limits. */
    data class Ran(val plan: Plan) : Trial

    /** It was created, and an inference threw; the first one or a later one. */
    data class RunFailed(val why: String) : Trial

    /** It ran, and its scores for [pictures] [of] all golden pictures are beyond what rounding explains. */
    data class Deviates(val plan: Plan, val pictures: Int, val of: Int) : Trial
}

/** Why a delegate that was asked for does not run. */
sealed interface Reason {
    data class TooOld(val needs: Int, val has: Int) : Reason

    object NotListed : Reason

    object EndedTheApp : Reason

    data class NotCreated(val why: String) : Reason

    data class TookNothing(val nodes: Int) : Reason

    data class RunFailed(val why: String) : Reason

    data class Deviates(val pictures: Int, val of: Int) : Reason
}

/**
 * What a delegate runs: [taken] of [nodes]. Not [exact]: it runs at least these, since the plan shows how
 * many steps are left and not how many nodes each of the delegate's steps joins.
 */
data class Share(val taken: Int, val nodes: Int, val exact: Boolean = true)

/** What the policy decides. */
sealed interface Decision {
    /** There is no reason not to try. */
    object Try : Decision

    data class Use(val share: Share) : Decision

    data class FallBack(val to: Delegate, val reason: Reason) : Decision

    /** Not even the interpreter's own kernels give an answer that can be trusted. */
    data class GiveUp(val reason: Reason) : Decision
}

/**
 * Decides about the delegate [asked] for on a device with this [offer]: before it is tried ([trial] is
 * null) or after. A pure function. An unknown device, a delegate that cannot be created, that takes
 * nothing (it throws nothing then: only the plan shows it), that throws or whose scores differ: each falls back to
 * XNNPACK, and from there to the interpreter's own kernels.
 */
fun decide(asked: Delegate, offer: Offer, trial: Trial?): Decision {
    val reason = if (trial == null) against(asked, offer) else against(asked, trial)
    return when {
        reason != null -> fallBack(asked, reason)
        trial is Trial.Ran -> Decision.Use(share(asked, trial.plan))
        else -> Decision.Try
    }
}

private fun against(asked: Delegate, offer: Offer): Reason? = when {
    asked in offer.ended -> Reason.EndedTheApp
    asked == Delegate.GPU && !offer.gpuListed -> Reason.NotListed
    asked == Delegate.NNAPI && offer.apiLevel < NNAPI_SINCE -> Reason.TooOld(NNAPI_SINCE, offer.apiLevel)
    else -> null
}

private fun against(asked: Delegate, trial: Trial): Reason? = when (trial) {
    is Trial.NotCreated -> Reason.NotCreated(trial.why)
    is Trial.RunFailed -> Reason.RunFailed(trial.why)
    is Trial.Deviates -> Reason.Deviates(trial.pictures, trial.of)
    is Trial.Ran -> {
        val nothing = asked != Delegate.NONE && trial.plan.left >= trial.plan.nodes
        if (nothing) Reason.TookNothing(trial.plan.nodes) else null
    }
}

private fun fallBack(asked: Delegate, reason: Reason): Decision = when (asked) {
    Delegate.GPU, Delegate.NNAPI -> Decision.FallBack(Delegate.XNNPACK, reason)
    Delegate.XNNPACK -> Decision.FallBack(Delegate.NONE, reason)
    Delegate.NONE -> Decision.GiveUp(reason)
}

/**
 * If the delegate took its nodes in one piece, the plan has one step for them all: then `left - 1` are
 * the interpreter's own. In more pieces it took more than that.
 */
private fun share(asked: Delegate, plan: Plan): Share {
    if (asked == Delegate.NONE) return Share(0, plan.nodes)
    return Share(plan.nodes - plan.left + 1, plan.nodes, exact = plan.left == 1)
}
