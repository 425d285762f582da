ALTER TABLE `gk_wx_user` ADD `phone_fingerprint` varchar(64) CHARACTER SET ascii COLLATE ascii_bin;--> statement-breakpoint
ALTER TABLE `gk_wx_user` ADD `blocked_at` bigint;--> statement-breakpoint
CREATE INDEX `gk_wx_user_phone_fingerprint` ON `gk_wx_user` (`phone_fingerprint`);