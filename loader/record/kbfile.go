package record

// KBFile is a file of a knowledge base, with the tokens that its extraction took.
type KBFile struct {
	Version
	ID, OrgID, KnowledgeBaseID             string
	Status                                 string // processingStatus, "" where none is given
	CreatedAt, ProcessedAt                 int64  // ProcessedAt is CreatedAt where none is given
	InputTokens, OutputTokens, TotalTokens uint32
}

func (*KBFile) Kind() Kind           { return KindKBFile }
func (f *KBFile) Key() string        { return f.ID }
func (f *KBFile) Identity() Identity { return Identity{f.ID} }
func (f *KBFile) Owner() string      { return f.OrgID }

// After returns the file as it is after the change f of the version before.
func (f *KBFile) After(before *KBFile) *KBFile { return after(f, before, nil) }

func (r *reader) kbFile() *KBFile {
	f := &KBFile{
		ID:              r.identifier("id", r.id),
		OrgID:           r.identifier("organizationId", r.organizationID),
		KnowledgeBaseID: r.identifier("knowledgeBaseId", r.knowledgeBaseID),
		Status:          r.status(),
		CreatedAt:       r.time("createdAt", r.createdAt),
		InputTokens:     r.count("extractInputTokens", r.extractInputTokens),
		OutputTokens:    r.count("extractOutputTokens", r.extractOutputTokens),
	}
	f.TotalTokens = r.total("extractTotalTokens", r.extractTotalTokens, f.InputTokens, f.OutputTokens)
	f.ProcessedAt = r.timeOr("processedAt", r.processedAt, f.CreatedAt)
	f.UpdatedAt = r.timeOr("updatedAt", r.updatedAt, f.CreatedAt)
	f.DeletedAt, f.Deleted = r.deletion()
	detach(&f.ID, &f.OrgID, &f.KnowledgeBaseID, &f.Status)
	return f
}

// status reads processingStatus. An empty one is refused: it is not completed, yet it would pass for none given,
// which counts as completed.
func (r *reader) status() string {
	const want = "a processing status or null"
	if absent(r.processingStatus) {
		return ""
	}
	status := r.text("processingStatus", r.processingStatus, want)
	if status == "" {
		r.wrong("processingStatus", r.processingStatus, want)
	}
	return status
}
