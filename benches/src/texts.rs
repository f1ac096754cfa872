//! Users, members, roles, channels, messages and presences like those of Discord, made up: what records are packed of.

use shardkeep_core::Rng;

/// Ids of roles, channels and messages follow each other by this much; those of users by less.
const STEP: u64 = 33_214_693_376;
const ROLES: u64 = 671_088_640_000_000_000;
const CHANNELS: u64 = 671_098_640_000_000_000;
const USERS: u64 = 629_145_600_000_000_000;

/// Makes texts. The same seed makes the same ones.
#[derive(Debug)]
pub struct Texts {
    rng: Rng,
}

impl Texts {
    /// Texts of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list[index]
    }

    fn word(&mut self) -> &'static str {
        self.one_of(&[
            "ember", "haven", "grove", "cedar", "quartz", "violet", "ridge", "tundra", "zephyr",
            "nimbus", "xenon", "moss", "lantern", "harbour",
        ])
    }

    /// `null` but for one in `rarity`.
    fn rarely(&mut self, rarity: u64, text: impl FnOnce(&mut Self) -> String) -> String {
        if self.below(rarity) == 0 {
            text(self)
        } else {
            "null".to_owned()
        }
    }

    fn hash(&mut self) -> String {
        let animated = if self.below(8) == 0 { "a_" } else { "" };
        format!(
            "\"{animated}{:016x}{:016x}\"",
            self.rng.next_u64(),
            self.rng.next_u64()
        )
    }

    fn timestamp(&mut self) -> String {
        format!(
            "\"20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}000+00:00\"",
            16 + self.below(10),
            1 + self.below(12),
            1 + self.below(28),
            self.below(24),
            self.below(60),
            self.below(60),
            self.below(1_000)
        )
    }

    /// A user.
    #[must_use]
    pub fn user(&mut self) -> String {
        let id = USERS + self.below(1 << 40) * 4_096 + self.below(4_096);
        let (name, number) = (self.word(), self.below(1_000));
        let avatar = match self.below(5) {
            0 => "null".to_owned(),
            _ => self.hash(),
        };
        let global_name = match self.below(3) {
            0 => "null".to_owned(),
            _ => format!("\"{}\"", self.word()),
        };
        let flags = self.one_of(&["0", "0", "0", "64", "128", "256", "4194304"]);
        let bot = if self.below(40) == 0 {
            ",\"bot\":true"
        } else {
            ""
        };
        format!(
            concat!(
                r#"{{"id":"{}","username":"{}{}","avatar":{},"discriminator":"0","public_flags":{},"#,
                r#""avatar_decoration_data":null,"global_name":{},"collectibles":null,"#,
                r#""display_name_styles":null,"primary_guild":null{}}}"#
            ),
            id, name, number, avatar, flags, global_name, bot
        )
    }

    /// A member of a guild with 25 roles; with its user in it, if there is one.
    #[must_use]
    pub fn member(&mut self, user: Option<&str>) -> String {
        let user = user.map_or(String::new(), |user| format!("\"user\":{user},"));
        let count = 3 + self.below(3);
        let roles: Vec<String> = (0..count)
            .map(|_| format!("\"{}\"", ROLES + self.below(25) * STEP))
            .collect();
        let nick = self.rarely(3, |texts| format!("\"{}\"", texts.word()));
        let premium_since = self.rarely(15, Self::timestamp);
        let joined_at = self.timestamp();
        let flags = self.one_of(&["0", "0", "2"]);
        format!(
            concat!(
                r#"{{{}"nick":{},"avatar":null,"banner":null,"roles":[{}],"joined_at":{},"#,
                r#""premium_since":{},"deaf":false,"mute":false,"flags":{},"pending":false,"#,
                r#""communication_disabled_until":null,"unusual_dm_activity_until":null}}"#
            ),
            user,
            nick,
            roles.join(","),
            joined_at,
            premium_since,
            flags
        )
    }

    /// A role.
    #[must_use]
    pub fn role(&mut self) -> String {
        let (id, position) = (ROLES + self.below(25) * STEP, self.below(25));
        let (name, color) = (self.word(), self.below(1 << 24));
        let permissions = self.rng.next_u64() >> (16 + self.below(40));
        format!(
            concat!(
                r#"{{"id":"{}","name":"{}","description":null,"permissions":"{}","position":{},"color":{},"#,
                r#""colors":{{"primary_color":{},"secondary_color":null,"tertiary_color":null}},"#,
                r#""hoist":{},"managed":false,"mentionable":false,"icon":null,"unicode_emoji":null,"flags":0}}"#
            ),
            id,
            name,
            permissions,
            position,
            color,
            color,
            position > 15
        )
    }

    /// A text channel.
    #[must_use]
    pub fn channel(&mut self) -> String {
        let id = CHANNELS + self.below(500) * STEP;
        let overwrites: Vec<String> = (0..self.below(5))
            .map(|_| {
                let (role, allow, deny) =
                    (self.below(25), self.below(1 << 34), self.below(1 << 12));
                format!(
                    r#"{{"id":"{}","type":0,"allow":"{allow}","deny":"{deny}"}}"#,
                    ROLES + role * STEP
                )
            })
            .collect();
        let topic = self.rarely(2, |texts| {
            format!("\"All about {} and {}\"", texts.word(), texts.word())
        });
        format!(
            concat!(
                r#"{{"id":"{}","type":0,"name":"{}-{}","position":{},"flags":0,"parent_id":"{}","topic":{},"#,
                r#""last_message_id":"{}","rate_limit_per_user":0,"nsfw":false,"permission_overwrites":[{}],"#,
                r#""theme_color":null,"icon_emoji":null,"version":1700000000000}}"#
            ),
            id,
            self.word(),
            self.word(),
            self.below(80),
            CHANNELS + self.below(20) * STEP,
            topic,
            CHANNELS + self.below(1 << 20) * STEP,
            overwrites.join(",")
        )
    }

    /// A message.
    #[must_use]
    pub fn message(&mut self) -> String {
        let author = self.user();
        let member = self.member(None);
        let words: Vec<&str> = (0..4 + self.below(20)).map(|_| self.word()).collect();
        let id = CHANNELS + self.below(1 << 20) * STEP;
        format!(
            concat!(
                r#"{{"type":0,"tts":false,"timestamp":{},"pinned":false,"nonce":"{}","mentions":[],"#,
                r#""mention_roles":[],"mention_everyone":false,"member":{},"id":"{}","flags":0,"embeds":[],"#,
                r#""edited_timestamp":null,"content":"{}","components":[],"channel_id":"{}","author":{},"#,
                r#""attachments":[],"guild_id":"197038439483310086"}}"#
            ),
            self.timestamp(),
            id + 5,
            member,
            id,
            words.join(" "),
            CHANNELS + self.below(500) * STEP,
            author
        )
    }

    /// A presence with an activity or two.
    #[must_use]
    pub fn presence(&mut self) -> String {
        let id = USERS + self.below(1 << 40) * 4_096;
        let started = 1_700_000_000_000 + self.below(1 << 36);
        let game = format!(
            concat!(
                r#"{{"type":0,"timestamps":{{"start":{}}},"name":"{}","id":"{:015x}","created_at":{},"#,
                r#""application_id":"{}"}}"#
            ),
            started,
            self.word(),
            self.rng.next_u64() >> 4,
            started + 5,
            USERS + self.below(1 << 30)
        );
        let custom = format!(
            r#"{{"type":4,"state":"{} {}","name":"Custom Status","id":"custom","created_at":{}}}"#,
            self.word(),
            self.word(),
            started
        );
        let activities = match self.below(4) {
            0 => String::new(),
            1 => game,
            2 => custom,
            _ => format!("{custom},{game}"),
        };
        let status = self.one_of(&["online", "idle", "dnd"]);
        format!(
            concat!(
                r#"{{"user":{{"id":"{}"}},"status":"{}","client_status":{{"{}":"{}"}},"activities":[{}],"#,
                r#""guild_id":"197038439483310086"}}"#
            ),
            id,
            status,
            self.one_of(&["desktop", "mobile", "web"]),
            status,
            activities
        )
    }
}
