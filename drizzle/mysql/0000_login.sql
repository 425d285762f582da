CREATE TABLE `gk_wx_session` (
	`token_hash` binary(32) NOT NULL,
	`open_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`created_at` bigint NOT NULL,
	`expires_at` bigint NOT NULL,
	`last_used_at` bigint NOT NULL,
	CONSTRAINT `gk_wx_session_token_hash` PRIMARY KEY(`token_hash`)
);
--> statement-breakpoint
CREATE TABLE `gk_wx_user` (
	`open_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`app_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`union_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`prev_session_key` varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
	`session_key` varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
	`session_key_fingerprint` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
	`session_key_at` bigint NOT NULL,
	`phone_number` varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
	`nick_name` varchar(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`avatar_url` varchar(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`gender` tinyint,
	`language` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`city` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`province` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`country` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`created_at` bigint NOT NULL,
	`updated_at` bigint NOT NULL,
	`real_name` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
	`stu_id` int,
	CONSTRAINT `gk_wx_user_open_id` PRIMARY KEY(`open_id`)
);
--> statement-breakpoint
CREATE INDEX `gk_wx_session_open_id` ON `gk_wx_session` (`open_id`);--> statement-breakpoint
CREATE INDEX `gk_wx_session_expires_at` ON `gk_wx_session` (`expires_at`);--> statement-breakpoint
CREATE INDEX `gk_wx_user_union_id` ON `gk_wx_user` (`union_id`);