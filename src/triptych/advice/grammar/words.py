"""The closed classes of English, and the words that a rule has to know by kind: colours, clothes, parts of bodies.

Nouns are an open class: what is in no list is taken for one.
"""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    """The words of a string, as a set to look them up in."""
    return frozenset(words.split())


DETERMINERS = word_set(
    "a an the this that these those his her its their my your our each every some any another either whose which what "
    "all both several many few most more such"
)
PRONOUNS = word_set(
    "he she it they we you i him them us me himself herself itself themselves everyone everybody someone somebody "
    "anyone anybody anything everything something who whom that which there here one ones others mine"
)
PREPOSITIONS = word_set(
    "in on at by of to from with into onto over under above below behind beside between among through across along "
    "around against near inside outside beneath underneath atop within upon toward towards past beyond off for as "
    "nearer like during after before amid amidst via about per until opposite throughout except versus down up out"
)
CONJUNCTIONS = word_set("and or but while as nor plus then whereas so because if when where although though than")
AUXILIARIES = word_set(
    "is are was were be been being am has have had having do does did can could will would should may might must "
    "shall isn't aren't wasn't weren't hasn't haven't hadn't don't doesn't didn't can't cannot couldn't won't "
    "wouldn't shouldn't mustn't"
)
NEGATIONS = word_set(
    "no not without never nobody none nothing neither nor nowhere sans minus cannot isn't aren't wasn't weren't "
    "hasn't haven't hadn't don't doesn't didn't can't couldn't won't wouldn't shouldn't mustn't dont doesnt isnt"
)
_UP_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
NUMBERS = {word: value for value, word in enumerate(_UP_TO_TWENTY.split())} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
}
GROUPS = {
    "trio": 3, "threesome": 3, "triplet": 3, "triplets": 3, "quartet": 4, "foursome": 4, "quintet": 5, "sextet": 6,
    "septet": 7, "octet": 8, "dozen": 12,
}  # fmt: skip
ADVERBS = word_set(
    "very too quite rather really almost nearly slightly only just also even still already always often again away "
    "together apart ahead forward backward backwards sideways upside outdoors indoors everywhere nearby else far "
    "fully half partly half-way halfway now today tonight well once twice instead maybe perhaps please not-quite so "
    "yet abreast overhead underwater upstairs downstairs nonetheless somewhere afar alone"
)

COLOURS = word_set(
    "red orange yellow green blue purple violet pink brown black white grey gray silver golden gold beige ivory cream "
    "crimson scarlet maroon burgundy teal turquoise cyan aqua navy indigo magenta lavender lilac mauve mint lime "
    "olive emerald coral peach salmon amber ochre mustard rust copper bronze khaki tan charcoal cobalt azure sapphire "
    "ruby fuchsia plum sage rose blonde blond ginger auburn brunette platinum chestnut terracotta chartreuse "
    "vermilion bluish reddish greenish yellowish rainbow multicolored multicoloured jade"
)
PATTERNS = word_set(
    "striped stripy checkered chequered checked plaid tartan polka-dot polka-dotted dotted floral paisley camouflage "
    "leopard-print zebra-print pinstriped gingham spotted tie-dye tie-dyed houndstooth patterned"
)
BUILDS = word_set(
    "tall short bald bearded thin slim chubby fat stocky muscular skinny lanky freckled tattooed curly-haired "
    "long-haired short-haired blond-haired redheaded red-haired clean-shaven masked hooded barefoot bespectacled"
)
SIZES = word_set("big small large little long short tall wide narrow thin thick deep shallow high low")

PEOPLE = word_set(
    "man men woman women boy boys girl girls child children kid kids baby babies toddler toddlers person people adult "
    "guy guys lady ladies gentleman gentlemen couple bride groom bridesmaid groomsman king queen prince princess "
    "knight wizard witch pirate clown nurse doctor chef cook monk nun priest soldier cop officer captain pilot "
    "astronaut cowboy cowgirl samurai ninja viking mermaid elf dwarf fairy goblin orc vampire zombie ghost angel "
    "demon robot android alien mother father mom dad mum parent sister brother twin twins grandmother grandfather "
    "grandma grandpa granny aunt uncle daughter son husband wife friend friends teen teenager student athlete boxer "
    "judge guard thief model businessman businesswoman bartender barista surgeon redhead blonde figure figures "
    "character characters team crowd audience grandchild grandchildren grandparent wrestler human villager merchant "
    "hero heroine villain gnome troll giant mechanic drummer guitarist pianist violinist cellist artist florist "
    "geisha bishop shaman ranger elder stowaway teller striker defender referee goalkeeper spy chief maid butler mime "
    "tailor sailor"
)
ANIMALS = word_set(
    "cat cats dog dogs puppy kitten horse pony foal cow bull calf sheep lamb goat pig piglet rabbit bunny hare fox "
    "wolf bear cub lion tiger leopard panther cheetah elephant giraffe zebra monkey gorilla ape chimp panda koala "
    "kangaroo deer stag fawn moose elk bird owl eagle hawk falcon parrot crow raven pigeon dove sparrow hen rooster "
    "chicken chick duck duckling goose swan penguin flamingo heron seagull peacock fish shark whale dolphin octopus "
    "squid crab lobster turtle tortoise frog toad snake lizard gecko crocodile alligator dinosaur dragon unicorn "
    "mouse mice rat hamster hedgehog squirrel raccoon beaver otter seal walrus badger bat bee butterfly beetle ant "
    "spider snail poodle corgi pug dachshund labrador retriever husky lynx donkey camel llama alpaca hippo rhino "
    "creature monster beast animal kraken phoenix greyhound hummingbird jellyfish goldfish clownfish seahorse sloth "
    "lemur meerkat robin stork"
)
PERSON_ENDINGS = (
    "ologist", "woman", "women", "man", "men", "grapher", "maker", "keeper", "rider", "boarder", "ballerina",
    "dancer", "singer", "player", "worker", "driver", "fighter", "farmer", "teacher", "climber", "hiker", "runner",
    "biker", "walker", "surfer", "skater", "skier", "diver", "fisher", "hunter", "painter", "writer", "baker",
    "butcher", "juggler", "magician", "musician", "seamstress", "waitress", "waiter", "actress", "actor",
    "gardener", "traveler", "traveller", "cyclist", "sculptor", "potter", "welder", "carpenter", "firefighter",
    "swimmer", "sprinter", "wanderer", "prisoner", "shepherd", "gymnast", "conductor", "interpreter", "vendor",
    "seller", "grandmaster", "businesspeople",
)  # fmt: skip

BODY = word_set(
    "hair beard moustache mustache mohawk braid braids ponytail bun curls bangs eye eyes eyebrow eyebrows eyelashes "
    "face nose mouth lips lip teeth tooth ear ears cheek cheeks chin neck shoulder shoulders arm arms elbow elbows "
    "hand hands wrist wrists finger fingers thumb thumbs palm fist fists nail nails chest back belly waist hip hips "
    "leg legs knee knees foot feet ankle ankles toe toes skin freckles scar scars tattoo tattoos head forehead temple "
    "tail tails paw paws wing wings fur horn horns hoof hooves mane feather feathers beak snout whiskers claw claws "
    "trunk tusk tusks fin fins scales shell spots stripes eyelids dreadlocks afro hairstyle haircut complexion muzzle "
    "antlers smile"
)
CLOTHES = word_set(
    "shirt t-shirt tshirt tee blouse sweater jumper pullover cardigan hoodie sweatshirt jacket coat raincoat overcoat "
    "parka trenchcoat blazer suit tuxedo tux vest waistcoat dress gown skirt kilt jeans trousers pants shorts "
    "leggings tights stockings socks shoes boots sneakers sandals heels slippers hat cap beanie helmet crown tiara "
    "hood veil mask scarf shawl cape cloak robe tunic toga kimono sari uniform costume outfit clothes clothing armor "
    "armour apron overalls jumpsuit spacesuit wetsuit swimsuit bikini trunks pajamas pyjamas gloves mittens tie "
    "bowtie belt glasses sunglasses goggles earrings earring necklace bracelet ring jewelry bandana turban headscarf "
    "hijab lipstick makeup polo turtleneck tutu poncho corset bodysuit suspenders monocle eyepatch collar saddle "
    "harness dungarees fedora beret headband wig flannel leather denim"
)
"""With the materials that stand for clothes: "a man in denim"."""
WEARING = word_set("in with wearing wears wear dressed sporting has having wore")

SCENERY = word_set(
    "sky skies sea ocean water waters lake river grass lawn field fields meadow meadows forest forests tree trees "
    "leaf leaves foliage hill hills snow cloud clouds sand sun moon stars light lights lighting glow sunset sunrise "
    "shadows fog mist smoke fire flames background backgrounds backdrop palette tones tone hues hue colours colors "
    "accents gradient wall walls horizon aurora sunlight moonlight neon hour jungle moss ivy pines marble mountains "
    "desert dusk dawn night twilight lightning haze flame rain ice film photo photograph photography picture image "
    "grading vibe theme scheme filter noise aesthetic lamplight candlelight ink lines outlines studio seamless "
    "vegetation wheat grain"
)
"""What has its colour by nature, or gives the whole picture one: no thing to mix up with another."""


PLACES = word_set(
    "beach forest desert city street park garden kitchen bedroom room office library cafe restaurant bar museum "
    "church cathedral castle palace temple village town farm barn field meadow mountain mountains valley river lake "
    "sea ocean island jungle cave space moon mars planet studio stage stadium arena school classroom hospital station "
    "airport harbor harbour market shop store mall crossing bridge rooftop alley subway train bathroom courtyard "
    "square plaza snow cliff canyon waterfall pool hotel house apartment hall ballroom warehouse spaceship ship deck "
    "tokyo paris london venice rome york dunes vineyard background setting backdrop landscape scene environment "
    "location"
)

VERBS = word_set(
    "sit stand walk run lie lean jump dance play hold carry wear ride drive fly swim sleep eat drink read write sing "
    "look watch stare gaze smile laugh cry wave point hug kiss cook bake pour climb crouch kneel hide peek emerge "
    "float hover levitate fall hang rest wait work paint draw build fix grow bloom shine glow burn reflect cast throw "
    "catch kick push pull lift raise lower reach touch grab grip grasp clutch cradle knit sew type juggle braid "
    "shuffle clap salute tie thread carve knead weave chase follow lead cross face turn move enter leave open close "
    "cover bury wrap tuck obscure conceal submerge surround fill spill splash drip drop balance stack topple tip "
    "shatter break collide crash explode collapse crumble melt roll slide spin swing bounce bend stretch twist fight "
    "attack guard protect talk speak whisper shout argue listen think dream pray meditate study teach learn show hand "
    "give take put place set make change replace swap remove add erase delete keep maintain preserve recolor recolour "
    "brighten darken straighten crop clean grill serve stir chop slice peel pick plant water feed pet groom train "
    "compete race glide soar perch nest graze hunt fish dig plow harvest sail row paddle dive surf skate ski cycle "
    "travel explore wander stroll march parade gather celebrate perform conduct photograph film record measure repair "
    "weld hammer saw polish wash sweep mop iron fold pack load unload deliver buy sell trade tower loom say spell "
    "label title call name print engrave inscribe embroider mark overlook line overgrow illuminate light drape "
    "decorate suspend pose stay remain appear become seem fade scatter trim adjust shape blow weather glance steer "
    "veer signal crawl creep sneak howl bark roar purr nap doze snore yawn squat squint frown grin wink blush scream "
    "tumble plummet aim alter modify retain freeze withdraw leap gallop embrace dissolve peep lurk separate divide "
    "split connect attach contain include exclude avoid omit lack need want like love dress undress arm tilt rotate "
    "flip mirror zoom extend widen shrink enlarge scale dwarf sketch nestle cling dangle sprout drift"
)
STRICT_VERBS = word_set(
    "sit wear eat hold carry kneel lean gaze stare hide emerge hover levitate crouch climb lie reflect"
)
"""Verbs that are never nouns."""
IRREGULAR = {
    "sat": "sit", "stood": "stand", "ran": "run", "lay": "lie", "lying": "lie", "withdrawn": "withdraw", "froze":
    "freeze", "held": "hold", "wore": "wear", "worn": "wear", "rode": "ride", "ridden": "ride", "hid": "hide",
    "hidden": "hide", "grew": "grow", "grown": "grow", "hung": "hang", "cast": "cast", "threw": "throw", "thrown":
    "throw", "tying": "tie", "tied": "tie", "broken": "break", "broke": "break", "fell": "fall", "fallen": "fall",
    "kept": "keep", "made": "make", "said": "say", "says": "say", "took": "take", "taken": "take", "written":
    "write", "wrote": "write", "drawn": "draw", "built": "build", "set": "set", "put": "put", "frozen": "freeze",
    "overgrown": "overgrow", "lit": "light", "left": "leave", "seen": "see", "bent": "bend", "swung": "swing",
    "wound": "wind", "lost": "lose", "shot": "shoot", "given": "give", "dying": "die", "lain": "lie", "slept":
    "sleep", "stuck": "stick", "woven": "weave", "split": "split", "goes": "go",
}  # fmt: skip
PLURALS = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose",
    "feet": "foot", "teeth": "tooth", "leaves": "leaf", "wolves": "wolf", "knives": "knife", "loaves": "loaf",
    "shelves": "shelf", "scarves": "scarf", "halves": "half", "wives": "wife", "lives": "life", "elves": "elf",
    "dwarves": "dwarf", "hooves": "hoof", "oxen": "ox", "cacti": "cactus", "fungi": "fungus", "sheep": "sheep",
    "fish": "fish", "deer": "deer", "grandchildren": "grandchild", "calves": "calf", "thieves": "thief",
    "fishermen": "fisherman", "firemen": "fireman", "dice": "die", "koi": "koi", "aircraft": "aircraft", "salmon":
    "salmon", "octopi": "octopus", "businessmen": "businessman", "policemen": "policeman", "moose": "moose",
    "spacecraft": "spacecraft", "bison": "bison", "squid": "squid", "shrimp": "shrimp", "pastries": "pastry",
}  # fmt: skip
NOT_PLURAL = word_set(
    "glass grass dress bus cactus octopus compass canvas lens bias christmas paris princess waitress seamstress "
    "actress mattress fortress moss cross boss process brass chess gas virus circus campus focus hippopotamus "
    "platypus walrus clothes trousers jeans pants shorts tights leggings pajamas pyjamas scissors binoculars overalls "
    "abs series species venus iris tennis news dais chaos kiss bliss mass class pass press business chassis oasis "
    "axis analysis colossus status bonus lotus crocus citrus nucleus genius papyrus bass harness wilderness darkness "
    "happiness stress goddess empress sea-glass fibreglass always across various atlas texas pancreas tapas"
)
ING_NOUNS = word_set(
    "building painting ring king wing string ceiling evening morning lighting clothing wedding swing spring thing "
    "railing drawing engraving crossing landing clearing dwelling stocking earring duckling dumpling pudding icing "
    "frosting opening setting styling plumbing lettering bedding siding roofing flooring awning netting gosling "
    "sibling viking ending meeting paneling panelling etching carving writing shading framing grading skating parking "
    "wiring shipping printing typesetting being outing gathering anything everything something nothing sting sling"
)
LY_ADJECTIVES = word_set(
    "family lily butterfly fly jelly belly early curly woolly elderly friendly lonely ugly silly lovely lively holly "
    "ally rally bully folly gully assembly reply supply dolly trolley daily bubbly hilly smelly chilly wooly wobbly "
    "italy july firefly dragonfly homely ghostly otherworldly heavenly costly deadly orderly manly womanly burly "
    "gnarly sickly prickly cuddly wrinkly crumbly sparkly barfly monopoly anomaly"
)
LY_NOUNS = word_set(
    "family lily butterfly fly jelly belly holly ally bully gully assembly supply dolly trolley july italy firefly "
    "dragonfly monopoly anomaly"
)
SAME_PLURALS = word_set("sheep fish deer koi people aircraft moose bison squid salmon shrimp")
ADJECTIVES = word_set(
    "old young new ancient modern vintage antique rustic classic elegant ornate simple plain clean dirty dusty rusty "
    "worn weathered abandoned empty full half-empty broken cracked wet dry hot cold warm cool bright dark dim pale "
    "vivid deep light soft hard rough smooth shiny matte glossy sharp blurry crisp clear cloudy foggy misty rainy "
    "snowy sunny windy stormy calm quiet loud busy crowded lonely happy sad angry tired sleepy surprised shocked "
    "serious proud shy brave beautiful pretty handsome cute adorable majestic epic dramatic cinematic moody cozy cosy "
    "peaceful serene gentle wild fierce strong weak heavy thick thin wide narrow round square flat curved straight "
    "tall short long big small large little giant tiny huge wooden metal metallic stone plastic ceramic crystal "
    "leather woolen woollen knitted velvet silk linen cotton steel iron brass marble concrete clay porcelain paper "
    "golden fresh ripe raw cooked sweet spicy sour delicious rich poor royal medieval gothic baroque victorian "
    "futuristic surreal abstract minimal minimalist realistic photorealistic hyperrealistic detailed intricate "
    "isometric aerial overhead panoramic close wide-angle vertical horizontal symmetrical asymmetrical transparent "
    "translucent opaque hollow solid liquid frozen molten burning glowing floating flying sleeping dead alive fluffy "
    "furry hairy bare naked nude loose tight stiff fancy casual formal festive wintry summery autumnal tropical "
    "arctic urban rural suburban industrial domestic public private secret holy sacred magical mystical "
    "mythical haunted spooky scary creepy grim eerie strange weird odd funny silly comic cartoon french english "
    "german italian spanish japanese chinese indian african american dutch greek roman egyptian nordic scandinavian "
    "mexican korean russian british european asian persian moroccan turkish identical same different similar other "
    "whole entire single double triple main central upper lower top bottom front rear back inner outer left right "
    "middle final first second third fourth fifth last next previous extra own real fake true false good bad best "
    "worst great perfect nice fine free open closed shut unopened vast lush barren fertile smoky muddy sandy rocky "
    "grassy mossy leafy oily greasy sticky slippery silent legible readable bold blank serif italic handwritten "
    "vibrant muted pastel neutral earthy monochrome natural artificial organic synthetic hard-boiled soft-boiled "
    "tender crunchy slow fast quick rapid steep high low daily yearly annual quaint sleek stylish chic retro mini "
    "premium scruffy shaggy grumpy cheerful gloomy sunlit moonlit candlelit backlit cheap expensive generous lazy "
    "clever wise young-looking middle-aged teenage devoid lacking adult senior lone solitary separate distant nearby "
    "asleep awake upright untouched unchanged intact tidy messy"
)
