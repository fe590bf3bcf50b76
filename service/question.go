package service

import (
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// roleAdmin is the role that may see the whole organization.
const roleAdmin = "org:admin"

// question reads what the caller asks, and refuses what is wrong (400) or not the caller's to ask (403). The
// organization is always the token's: no parameter names one.
func question(caller auth.Caller, rawQuery string) (stats.Question, error) {
	if caller.OrgID == "" {
		return stats.Question{}, errNoOrganization
	}
	q := parseQuery(rawQuery)
	if q.values == nil { // there were too many to read
		return stats.Question{}, invalid(q.mistakes)
	}
	from, until := q.window()
	allInOrg := q.boolean(paramAllInOrg)
	if len(q.mistakes) > 0 {
		return stats.Question{}, invalid(q.mistakes)
	}
	userID, err := scope(caller, allInOrg, q.values[paramUserID])
	if err != nil {
		return stats.Question{}, err
	}
	return stats.Question{
		OrgID:         caller.OrgID,
		From:          from,
		Until:         until,
		AgentID:       q.values[paramAgentID],
		UserID:        userID,
		MetadataKey:   q.values[paramMetadataKey],
		MetadataValue: q.values[paramMetadataValue],
	}, nil
}

// scope is the user that the question is limited to, "" for the whole organization.
func scope(caller auth.Caller, allInOrg bool, userID string) (string, error) {
	switch {
	case allInOrg && caller.Role != roleAdmin:
		return "", errNotAdmin
	case allInOrg:
		return userID, nil
	case userID != "" && userID != caller.UserID:
		return "", errNotAdmin
	}
	return caller.UserID, nil
}
