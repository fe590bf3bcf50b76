package e2e

import (
	"fmt"
	"strings"
)

// sourceTable describes how a record is stored in a table of the platform's own.
type sourceTable struct {
	name    string
	columns map[string]string // by the record's field
}

// sourceTables are the tables by a record's type.
var sourceTables = map[string]sourceTable{
	"conversation": {"conversation", map[string]string{
		"id": "id", "organizationId": "organization_id", "userId": "user_id", "agentId": "agent_id",
		"createdAt": "created_at", "updatedAt": "updated_at", "deletedAt": "deleted_at",
	}},
	"message": {"message", map[string]string{
		"id": "id", "conversationId": "conversation_id", "role": "role", "parts": "parts", "toolInvocations": "tool_invocations",
		"usage": "usage", "feedback": "feedback", "createdAt": "created_at", "updatedAt": "updated_at", "deletedAt": "deleted_at",
	}},
	"kbFile": {"knowledge_base_file", map[string]string{
		"id": "id", "organizationId": "organization_id", "knowledgeBaseId": "knowledge_base_id", "processingStatus": "processing_status",
		"processedAt": "processed_at", "extractInputTokens": "extract_input_tokens", "extractOutputTokens": "extract_output_tokens",
		"extractTotalTokens": "extract_total_tokens", "createdAt": "created_at", "updatedAt": "updated_at", "deletedAt": "deleted_at",
	}},
	"member": {"organization_membership", map[string]string{
		"id": "id", "organizationId": "organization_id", "userId": "user_id", "publicMetadata": "public_metadata",
		"createdAt": "created_at", "updatedAt": "updated_at", "deletedAt": "deleted_at",
	}},
}

// tableOf returns the table of a record.
func tableOf(r object) sourceTable { return sourceTables[r.text("type")] }

// row returns a record as JSON of a row. Its ids may be integers, which PostgreSQL converts to texts.
func (t sourceTable) row(r object) []byte {
	row := object{}
	for field, column := range t.columns {
		if value, ok := r[field]; ok {
			row[column] = value
		}
	}
	return mustMarshal(row)
}

// upsert returns a statement whose only argument is a row.
func (t sourceTable) upsert() string {
	var sets []string
	for _, column := range t.columns {
		sets = append(sets, fmt.Sprintf("%s = excluded.%[1]s", column))
	}
	return fmt.Sprintf("INSERT INTO %s AS known SELECT * FROM jsonb_populate_record(NULL::%[1]s, $1) ON CONFLICT (id) DO UPDATE SET %s",
		t.name, strings.Join(sets, ", "))
}

// upsertUnlessOlder returns an upsert for applications that keep the newer version of a record, as files do.
func (t sourceTable) upsertUnlessOlder() string {
	const version = "date_trunc('milliseconds', coalesce(%s.updated_at, %[1]s.created_at))"
	return t.upsert() + " WHERE " + fmt.Sprintf(version, "excluded") + " >= " + fmt.Sprintf(version, "known")
}
