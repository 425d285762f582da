CREATE TABLE `gk_wx_session` (
	`token_hash` blob PRIMARY KEY NOT NULL,
	`open_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	CONSTRAINT "token_hash_width" CHECK(length("gk_wx_session"."token_hash") = 32)
);
--> statement-breakpoint
CREATE INDEX `gk_wx_session_open_id` ON `gk_wx_session` (`open_id`);--> statement-breakpoint
CREATE INDEX `gk_wx_session_expires_at` ON `gk_wx_session` (`expires_at`);--> statement-breakpoint
CREATE TABLE `gk_wx_user` (
	`open_id` text PRIMARY KEY NOT NULL,
	`app_id` text NOT NULL,
	`union_id` text,
	`prev_session_key` text,
	`session_key` text,
	`session_key_fingerprint` text,
	`session_key_at` integer NOT NULL,
	`phone_number` text,
	`nick_name` text,
	`avatar_url` text,
	`gender` integer,
	`language` text,
	`city` text,
	`province` text,
	`country` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`real_name` text,
	`stu_id` integer,
	CONSTRAINT "open_id_width" CHECK(length("gk_wx_user"."open_id") <= 64),
	CONSTRAINT "app_id_width" CHECK(length("gk_wx_user"."app_id") <= 64),
	CONSTRAINT "union_id_width" CHECK(length("gk_wx_user"."union_id") <= 64),
	CONSTRAINT "prev_session_key_width" CHECK(length("gk_wx_user"."prev_session_key") <= 255),
	CONSTRAINT "session_key_width" CHECK(length("gk_wx_user"."session_key") <= 255),
	CONSTRAINT "session_key_fingerprint_width" CHECK(length("gk_wx_user"."session_key_fingerprint") <= 64),
	CONSTRAINT "phone_number_width" CHECK(length("gk_wx_user"."phone_number") <= 255),
	CONSTRAINT "nick_name_width" CHECK(length("gk_wx_user"."nick_name") <= 1024),
	CONSTRAINT "avatar_url_width" CHECK(length("gk_wx_user"."avatar_url") <= 2048),
	CONSTRAINT "language_width" CHECK(length("gk_wx_user"."language") <= 64),
	CONSTRAINT "city_width" CHECK(length("gk_wx_user"."city") <= 128),
	CONSTRAINT "province_width" CHECK(length("gk_wx_user"."province") <= 128),
	CONSTRAINT "country_width" CHECK(length("gk_wx_user"."country") <= 128),
	CONSTRAINT "real_name_width" CHECK(length("gk_wx_user"."real_name") <= 64)
);
--> statement-breakpoint
CREATE INDEX `gk_wx_user_union_id` ON `gk_wx_user` (`union_id`);