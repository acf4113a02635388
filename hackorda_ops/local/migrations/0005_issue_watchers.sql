CREATE TABLE "issue_watchers" (
	"issue_id" bigint NOT NULL,
	"user_id" uuid NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "issue_watchers_pk" PRIMARY KEY("issue_id","user_id")
);
--> statement-breakpoint
INSERT INTO "issue_watchers" ("issue_id", "user_id", "since")
	SELECT "issue_id", "author_id", min("created_at") FROM "comments" GROUP BY "issue_id", "author_id";
--> statement-breakpoint
ALTER TABLE "issue_watchers" ADD CONSTRAINT "issue_watchers_issue_id_issues_id_fk" FOREIGN KEY ("issue_id") REFERENCES "public"."issues"("id") ON DELETE cascade;
--> statement-breakpoint
ALTER TABLE "issue_watchers" ADD CONSTRAINT "issue_watchers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade;
--> statement-breakpoint
ALTER TABLE "issues" ADD COLUMN "watched" boolean DEFAULT false NOT NULL;
