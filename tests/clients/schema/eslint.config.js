// The rules for names and shapes in schema.graphql: graphql-eslint's three presets for schemas. What is off or bent
// stands below, with the reason.
import { fileURLToPath } from "node:url";
import graphql from "@graphql-eslint/eslint-plugin";

const schema = fileURLToPath(new URL("../../../schema.graphql", import.meta.url));
const preset = (name) => graphql.configs[`flat/schema-${name}`].rules;

// Parts of what holds them: they have no identity of their own, and caches keep them with their owner. A new type has an
// `id`, or its name comes here.
const VALUES = [
  "AccessLogEntry", "Account", "ActivityResult", "Consent", "ConversationParticipant", "CostExplanation", "CourseRating", "CourseStatistics",
  "EnrolmentChange", "EnrolmentEvent", "EnrolmentSettings", "ExplainedCost", "FieldAccess", "FormerTitle", "Forum", "ForumHit", "LeftOff",
  "LessonContent", "LessonDraft", "LessonProgress", "LimitHit", "MarkedActivity", "MessageAdded", "ModerationEntry",
  "ModerationQueueChanged", "ModuleProgress", "MyInvitation", "MyReview", "NotificationAdded",
  "NotificationMute", "NotificationPreference", "NotificationPreferences", "OwnReport", "PlaceInLine", "PostAdded",
  "PostRevision", "PostWarning", "PostingAudience", "Preferences", "ReaderReport", "ReasonCount", "Recommendation",
  "RecommendationExperiment", "RecommendationFeedback", "RecommendationReason", "RecordedActivity", "ReportDecision",
  "SignIn", "SignInProvider", "SnippetPart", "StaffInvitation", "StaffMember", "ThreadChanged", "TopicTime",
  "TwoFactorState", "UserError", "WhyNot",
  // Relay's.
  "PageInfo",
  // Its id is nullable: nothing is kept of a list that nobody reports on.
  "NextCourses",
];

const rules = {
  ...preset("recommended"),
  ...preset("all"),
  ...preset("relay"),

  // --- bent

  // Everything, not only types and fields of Query: tests/stories/schema.rs holds it too, over introspection.
  "@graphql-eslint/require-description": [
    "error",
    { types: true, DirectiveDefinition: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true },
  ],
  "@graphql-eslint/strict-id-in-types": [
    "error",
    { acceptedIdNames: ["id"], acceptedIdTypes: ["ID"], exceptions: { types: VALUES, suffixes: ["Connection", "Edge", "Payload"] } },
  ],
  // Short lists that are always there as a whole are lists, not connections. And a node of an edge need not be a `Node`:
  // a line of an access log or a hit of a search can't be asked for by itself.
  "@graphql-eslint/relay-edge-types": [
    "error",
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],

  // --- off

  // Types are sorted; fields and arguments stand in the order in which one reads them: `id` first, then what matters most.
  "@graphql-eslint/alphabetize": "off",
  // The printer writes what is short on one line, and what is long as a block. The style is always the same.
  "@graphql-eslint/description-style": "off",
  // A mutation of a thing takes its id as an argument, and `input` for what is said about it: forms map to `input`.
  "@graphql-eslint/input-name": "off",
  // There are mutations and subscriptions.
  "@graphql-eslint/no-root-type": "off",
  // It wants `@deprecated(deletionDate:)`, an argument that the specification does not have, so that servers and clients
  // refuse it. The date stands at the end of the reason; tests/stories/schema.rs holds every one to it.
  "@graphql-eslint/require-deprecation-date": "off",
  // A payload gives back what was changed, with all that hangs on it. What has nothing to do with that is a query.
  "@graphql-eslint/require-field-of-type-query-in-mutation-result": "off",
};

// Single findings that are wrong, each with its reason.
export const EXCEPTIONS = [
  // They are described: introspection tells it, and tests/stories/schema.rs holds it. The printer leaves it out.
  "Description is required for input value \"category\" in directive \"personal\"",
  "Description is required for input value \"seenBy\" in directive \"personal\"",
  "Description is required for input value \"weight\" in directive \"cost\"",
  "Description is required for input value \"assumedSize\" in directive \"listSize\"",
  "Description is required for input value \"slicingArguments\" in directive \"listSize\"",
  "Description is required for input value \"sizedFields\" in directive \"listSize\"",
  "Description is required for input value \"requireOneSlicingArgument\" in directive \"listSize\"",
  // The participle, not the name of the type: a post was reported, by so many reporters, in so many reports.
  "Field \"reportedAt\" starts with the name of the parent type \"Report\"",
  "Field \"reporterCount\" starts with the name of the parent type \"Report\"",
  "Field \"reports\" starts with the name of the parent type \"Report\"",
];

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { "@graphql-eslint": graphql },
    rules,
  },
];
