package buckets

// Len returns the number of records.
func (r *Rows) Len() int {
	if r == nil {
		return 0
	}
	return len(r.times)
}
