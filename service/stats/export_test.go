package stats

// PlanOf makes the plan of a question from some sources, given the hours that are stale, for tests of plans that are
// not made otherwise.
func PlanOf(q Question, stale []int32, sources ...Source) Plan {
	return planOf(q, state{stale: stale}, sources)
}
