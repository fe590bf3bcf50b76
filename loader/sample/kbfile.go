package sample

const millisPerMinute = 60 * millisPerSecond

var (
	processingMillis = newLogNormal(2*millisPerMinute, 1)
	extractInput     = newLogNormal(6000, 1.1)
	extractOutput    = newLogNormal(500, 0.9)

	// finished and unfinished are the statuses of processing that has ended and that has not. Files that are completed,
	// by word or by silence, are those that count.
	finished = []pick{
		{0.89, `,"processingStatus":"completed"`}, {0.05, ""}, {0.06, `,"processingStatus":"extract_failed"`},
	}
	unfinished = []pick{{0.7, `,"processingStatus":"parsing"`}, {0.3, `,"processingStatus":"pending"`}}
)

const unfinishedShare = 0.06

// kbFile writes a file that was uploaded at a time.
func (g *generator) kbFile(org *organization, at millis) {
	g.counts.KBFiles++
	org.files.made++
	g.nextFile += 1 + int64(g.below(9))
	g.add(`{"type":"kbFile","id":`, g.nextFile, `,"organizationId":"`, org.id,
		`","knowledgeBaseId":`, int64(org.firstBase+g.below(org.bases)), `,"createdAt":"`, at, `"`)
	g.processing(at)
	if deleted := at + millisPerHour + millis(g.below(60*millisPerDay)); g.chance(0.02) && deleted < g.until {
		g.deletion(deleted)
	}
	g.end()
}

func (g *generator) processing(at millis) {
	end := at + millis(processingMillis.draw(&g.source))
	if end >= g.until || g.chance(unfinishedShare) {
		g.add(choose(unfinished, g.fraction()))
		return
	}
	g.add(choose(finished, g.fraction()))
	if g.chance(0.9) {
		g.add(`,"processedAt":"`, end, `"`)
	}
	input, output := extractInput.draw(&g.source), extractOutput.draw(&g.source)
	g.add(`,"extractInputTokens":`, input, `,"extractOutputTokens":`, output)
	if g.chance(0.8) {
		g.add(`,"extractTotalTokens":`, input+output)
	}
}

// deletion ends a record that was deleted at a time: that was also its last change.
func (g *generator) deletion(at millis) { g.add(`,"updatedAt":"`, at, `","deletedAt":"`, at, `"`) }
