"""Texts written for these tests, as somebody would who was asked for these habits, or for none.

Each writer is (kind, names of the habits asked for, four texts). None of them was made by the simulated model, and the
habits were asked for in words of daily life, so the table of habits is not what they were written from.
"""

from prose_data.values import Task

Writer = tuple[Task, frozenset[str], tuple[str, ...]]

WRITERS: tuple[Writer, ...] = (
    (
        "email",
        frozenset({"emojis", "exclamations", "question_opening"}),
        (
            """Hi Marta,

Did you see the sunrise from the ridge this morning? I did, and it was worth the alarm! 🌄 We had the whole trail to ourselves until nine, and then half of the village seemed to come up with their dogs.

I wanted to tell you that the cabin is booked for the second week of June! 🎉 There are four beds and a stove, and the owner says we can use the canoe as long as we bring it back dry. Let me know whether Piotr is coming too, because I still have to order the food! 😊

See you soon!
Ilse""",
            """Hello Tom,

How did the rehearsal go without us? I felt terrible about missing it! The train stood outside Harwick for two hours, and by the time it moved you must have been on your way home already. 😩

I have practised the slow part every evening since then, so I should be ready for Thursday! 🎻 Could you bring the spare music stand? Mine has lost a leg again.

Thanks a lot! 🙏
Nina""",
            """Dear all,

Who wants to take over the garden rota for August? I know it is the worst month for it, but the beans will not wait! 🌱 Last year we lost half of them because nobody watered for a week.

I have put a list on the shed door, and three of the five weeks are still free! If you take one, you may keep whatever ripens in it. 🍅 The hose has been mended, the key hangs where it always hangs!

Greetings from plot 14,
Oskar 😄""",
            """Hi Jo,

Guess who got the job? Me! 🎉🎉 They called yesterday, just as I was burning the rice, and I start on the first of the month. The office is close to yours, so we can finally have lunch together!

I will have to give up the Tuesday class, and that does hurt a little. 😢 But the pay is better and nobody there works at weekends! Let us celebrate on Saturday, if you are free!

Hugs,
Bea""",
        ),
    ),
    (
        "summarization",
        frozenset({"bullets", "ampersands", "allcaps"}),
        (
            """The council has voted to close the old swimming hall:

- Repairs would cost 4.2 million & take TWO years
- The hall leaks about 900 litres of water a day
- Schools & clubs will move to the new hall in Eastbrook from September
- Nobody has said what happens to the staff, which is the MOST pressing question
- A group of residents has collected 3,100 signatures & plans to appeal""",
            """What the paper says about sleep & memory:

- 64 adults learned word pairs in the evening & were tested at noon the next day
- Those who slept FEWER than six hours forgot a third more
- Naps helped, but ONLY if they came within four hours of learning
- The effect of coffee was small & not significant
- The authors warn that all tests took place in a laboratory & that nobody was older than 35""",
            """Main points of the review:

- The film follows a ferry crew through one winter & has almost no plot
- Photography & sound are OUTSTANDING
- The middle part drags; a shorter cut would help
- The lead actress says LITTLE & shows everything
- Verdict: worth seeing on a large screen, but bring patience & a warm coat""",
            """Here is the story of the lost parcel in brief:

- The parcel left the depot on Monday & was marked as delivered on Tuesday
- It was NEVER at the door, & the neighbours know nothing
- The shop blames the courier & the courier blames the shop
- The writer has called ELEVEN times & kept a log
- They want to know whether they must pay for the shoes & where to complain""",
        ),
    ),
    (
        "summarization",
        frozenset({"rhetorical_questions", "parentheses", "dashes"}),
        (
            """A bakery in Lorne has stopped selling bread before ten in the morning (yes, really) and its customers queue around the block. The owner says that dough which rests until dawn tastes better — and that she likes to sleep. Who could blame her? Sales rose by a fifth within a month, and two other bakers (both sworn enemies of the idea in spring) have now followed — quietly, and with smaller signs. Is it a fad? The regulars do not think so.""",
            """The study followed 212 rowers for three seasons and looked at how often they hurt their backs. Those who warmed up on land were injured half as often — a result that surprised even the coaches. But does anybody warm up when it rains? Hardly (only one in nine did). The authors suggest shorter routines — four minutes at most — and better shelters at the landing stages. Why has nobody built them before? Money (what else).""",
            """This account of a year without a car begins cheerfully and ends in a snowdrift. The writer sold his car in March — partly for the money, partly out of spite — and took up cycling (badly, by his own admission). By June he was fit; by November he was cold. Was it worth it? He thinks so, although he admits to having borrowed his sister's van (twice). What is a principle worth if it cannot carry a sofa — or a sister's patience?""",
            """The town of Ebbeck has decided to let its lamps go out at midnight. Supporters speak of stars — and of a smaller bill — while opponents speak of broken ankles. Who is right? The first figures (from February only) show fewer accidents than before, although the month was dry. A petition (340 names so far) asks for light at the station at least — a modest wish, one would think. And what harm would one lamp do?""",
        ),
    ),
    (
        "email",
        frozenset({"lowercase", "ellipses", "short_sentences"}),
        (
            """hey dan,

got your message... sorry. it was a long week. the move is done. the boxes are not. i sleep on the floor... it's fine. the cat hates it here. she hides in the sink.

can you lend me the drill? just for a day. the shelves are still flat... so are the books. come by on sunday. i have tea. no chairs yet...

k""",
            """hi mum,

the exam is over... finally. it was hard. question four was a joke. nobody had seen it before... i wrote something. two pages. mostly guesses.

now i wait. results come in may... i try not to count days. the sun is out. we went to the lake. water's still cold. i went in. don't tell dad...

love,
r""",
            """hello again,

the printer is dead... again. i tried it all. new cable. new ink. it blinks at me. it knows... the man in the shop laughed. he sold me this one.

so no posters today. maybe friday... i asked lena. she has one. it's pink. does pink matter? i'll send a photo... you decide.

m""",
            """hey,

short update from here... the boat floats. mostly. there is a leak. a small one. sam found it with his foot... we patched it. it held for an hour.

tomorrow we try again. wind is good. mood is better... the engine? let's not talk about it. bring gloves. bring soup...

jo""",
        ),
    ),
    (
        "email",
        frozenset({"headings", "second_person", "asterisks", "postscript"}),
        (
            """Dear Hanna,

**Before you leave**
You will need your passport, the blue folder and *comfortable* shoes. You should also tell your bank that you are going abroad, or it may block your card on the first day.

**When you arrive**
You take the airport bus to the *central* station, where your host will meet you under the clock. If you miss her, you can call the office until eight in the evening.

Best wishes,
Rosa

P.S. You will find a map and some coins for the bus in your folder.""",
            """Dear Peter,

**What your machine needs**
You should empty the drip tray every evening and rinse the *filter* once a week. You do not have to take the pump apart, whatever the leaflet tells you.

**What you can ignore**
You may see a *yellow* light for a minute after you switch it on. You can safely wait until it goes out by itself.

Kind regards,
Rosa

P.S. You get a free service in your first year, so keep your receipt.""",
            """Dear Yusuf,

**Your first week**
You share your desk with Ana until the *new* room is ready. You get your key from the porter, and you should sign for it yourself.

**Your first project**
You will look after the *visitor* survey. You can reuse last year's questions, but you should test them on your colleagues before you print anything.

Yours,
Rosa

P.S. You are welcome to join us for lunch on your first day.""",
            """Dear Clara,

**How you get there**
You walk past the mill until you see the *red* gate. You open it, and you close it behind you, because the sheep know the way to your car.

**What you bring**
You bring your tent, your cup and something *warm* for the night. You leave your radio at home, please.

See you soon,
Rosa

P.S. You can hear the owls if you stay up long enough.""",
        ),
    ),
    (
        "summarization",
        frozenset({"archaic", "semicolons", "rhyme"}),
        (
            """Hark, there stood a mill upon the hill, and it was still;
The miller's son hath sold the stones, and paid the bill.
The folk of yonder town did weep, and could not sleep;
For bread was dear, and winter near, and snow lay deep.
Yet ere the spring a stranger came, none knew his name;
He bought the mill and lit anew its ancient flame.""",
            """Methinks the trial was a fight that lasted day and night;
The learned men did disagree on wrong and right.
Some gave the sick a bitter draught, and others laughed;
For naught is proven, quoth the wise, without the craft.
Alas, the numbers were too small to speak for all;
Let others try again, ere yet the leaves do fall.""",
            """Behold the tale of him who lost his heart at such a cost;
He crossed the sea upon a ship in storm and frost.
The maiden whom he sought was gone by break of dawn;
She wed another, and he sat upon the lawn.
Thus ends the film; I tell thee true, I wept, as wouldst thou too;
And yet, forsooth, its every line is old, not new.""",
            """Alas, the harbour lieth bare, and none doth care;
The boats are sold, the nets are old, the tar is rare.
Young men go hence to seek their bread, or so 'tis said;
The elders sit upon the wall and shake their head.
A bridge shall come, the council saith, in all good faith;
Till then the town is but a shadow and a wraith.""",
        ),
    ),
    (
        "email",
        frozenset({"slang", "allcaps", "emojis"}),
        (
            """yo Kev,

ngl that gig was LIT 🔥 the drummer went absolutely mental and my ears are still ringing lol. You missed out big time, dude, I'm not even gonna lie.

We're going again on Friday and you HAVE to come this time. No cap, tickets are like 12 quid. Lemme know asap bc they sell out FAST 🙌

laters,
Mo""",
            """Hey fam,

so the flat hunt is kinda doing my head in 😩 Saw this one place today and omg the kitchen was TINY. Like, you could not open the fridge and the oven at once, lol. The landlord was super sus too.

Anyway, got another viewing tmrw and the vibe from the pics is WAY better. Wanna tag along? I could use a bro with a tape measure tbh 📏

Mo""",
            """Sup Dee,

ok so I finally watched that show you keep hyping and I'm OBSESSED 😍 The ending tho?? I legit screamed. My roommate thought somebody had died lmao.

Are they gonna do another season or nah? Bc I NEED to know what happens to the dog. Also the soundtrack slaps, been on repeat all day 🎧

peace,
Mo""",
            """Hey Jas,

u still up for the run on Sunday? Lowkey regretting signing up for this NOW that I've seen the hill 😅 It's like a wall, dude. A literal WALL.

Imma bring snacks tho, so if we die at least we die full lol. Meet at 9? I'm gonna need coffee first or I'll be a total mess ☕

Mo""",
        ),
    ),
    (
        "summarization",
        frozenset({"steps", "first_plural", "similes"}),
        (
            """Step 1: We begin with the problem, which sits in the middle of the text like a stone in a shoe: the library has more books than shelves.
Step 2: We then learn how the staff counted them all in nine nights, as busy as bees before a frost.
Step 3: After that we see the plan, and we note that a third of the stock will move to the cellar.
Step 4: Finally we hear from the readers, who guard their favourite corners like cats.""",
            """Step 1: We are told that traffic noise keeps robins awake, and we see the evidence from 40 gardens.
Step 2: We follow the authors as they hang up microphones like lanterns along the road.
Step 3: We find that the birds sing earlier, which spreads through the street like a rumour.
Step 4: We end with a caution, because in our winter the lamps are as bright as the moon, and nobody measured them.""",
            """Step 1: We meet the hero, a postman as patient as a donkey, on his last day at work.
Step 2: We walk with him from door to door, and we learn that every letter weighs on him like a debt.
Step 3: We reach the house at the end of the lane, where our expectations fall like a tray of cups.
Step 4: We leave him at the bus stop, and we wish that the film had given us one more scene.""",
            """Step 1: We start in the kitchen, where the writer and her brother have quarrelled over a kettle that screams like a gull.
Step 2: We hear her side, and we notice that the kettle is as innocent as a lamb.
Step 3: We look at the lease together, since our sympathy should not be blind.
Step 4: We conclude that they need two kettles, and that peace would then settle like dust.""",
        ),
    ),
    (
        "email",
        frozenset({"one_sentence_paragraphs", "hedges", "thanks"}),
        (
            """Dear Dr Olsen,

It seems that the samples from May may have been stored a little too warm.

Perhaps the sensor in the second fridge was faulty, although it might also have been the door, which apparently does not always close.

The results could possibly still be used, since the drift appears to be rather small.

It would probably be wise to repeat at least two of the measurements, if that is at all possible.

Many thanks for your patience.

Ida""",
            """Dear Ms Brandt,

There may perhaps be a small mistake in the invoice for March.

It seems to me that the second item was possibly counted twice, though I might be wrong about that.

Presumably the discount should have applied to both, which would suggest a total of about 310.

Maybe you could have another look at it when it suits you.

Thank you very much for your help.

Ida""",
            """Dear Jonas,

I think the room might be somewhat too small for forty people.

Perhaps we could move to the hall on the first floor, which is apparently free on that day.

It may be a bit cold there, but it is probably better than standing.

The projector seems to work, as far as I can tell, although the cable could be too short.

Thank you for thinking about it.

Ida""",
            """Dear committee,

The proposal seems promising, and it could perhaps be funded with some changes.

The budget may be slightly too high, as travel appears to take up nearly half of it.

It might also be that the second year is not entirely necessary, since the data will probably be there after the first.

Possibly a smaller pilot would suggest whether the idea is likely to hold.

With many thanks for your trust,

Ida""",
        ),
    ),
    (
        "summarization",
        frozenset({"qa", "certainty"}),
        (
            """Q: What happened at the dam?
A: Without a doubt the gates were opened too late. The log proves conclusively that the alarm was heard at 4:10.

Q: Who is responsible?
A: Undeniably the company, which certainly knew about the worn seals.

Q: What follows?
A: The report leaves no question open: the dam must be closed, and it will definitely be closed.""",
            """Q: What does the paper show?
A: It shows beyond any doubt that the new coating lasts longer. The difference is absolutely clear.

Q: How was it tested?
A: With 48 panels in sea water, which is undoubtedly the hardest test there is.

Q: Is it worth the price?
A: Certainly. The numbers are unmistakable.""",
            """Q: What is the film about?
A: It is, beyond question, about a father who cannot apologise.

Q: Is it any good?
A: Absolutely. It is certainly the best that this director has made, and no doubt it will win prizes.

Q: Should children see it?
A: Definitely not. The second half is obviously too dark.""",
            """Q: What does the writer want?
A: There is no doubt that she wants her deposit back.

Q: Does she have a case?
A: Clearly, yes. The contract undeniably gives her fourteen days.

Q: What should she do?
A: She must write to the landlord at once. He will certainly pay, as the law is absolutely plain.""",
        ),
    ),
    (
        "summarization",
        frozenset({"long_sentences"}),
        (
            """When the bridge over the Arne was closed for repairs in the spring of last year, nobody in the two villages on its banks expected that the work would take longer than a few weeks, and yet the ferry that was hired for the meantime is still running, because the engineers found, under the third pier and then under the fourth, that the river had washed away almost everything on which they had meant to build. The council, which has already spent twice what it had planned and which has been refused a loan, now hopes for money from the state, although the minister who came to look at the bridge in November promised nothing but to think about it.""",
            """The authors, who had collected more than nine thousand recordings of crickets over six summers in meadows that were mown at different times, report that the song becomes slower and deeper in places where the grass is cut before the middle of June, an effect which they explain by the loss of warm stalks near the ground and which, as they are careful to add, may depend on the weather of the years in which they worked. They recommend that farmers who receive money for protecting birds should also be asked to leave a strip along the ditch, since such a strip, however narrow it may be, seems to be enough to keep the temperature where the animals need it.""",
            """In this quiet film about a piano tuner who returns to the island where he grew up, and who finds that the instrument on which he learned to play has been standing in the rain behind the school for the better part of ten years, hardly anything happens that could be called a plot, but the director has such a patient eye for hands and wood and weather that one follows him gladly through two hours of scraping, gluing and waiting. Only towards the end, when a daughter appears whom nobody has mentioned before and who wants to sell the house, does the story reach for a conflict that it would have been better off without.""",
            """The writer of this post, who has been sharing an allotment with her former husband since their divorce and who had until recently been quite content with the arrangement, describes how he has begun to bring along his new partner, a woman who means well but who pulls out everything that she does not recognise, and how she lost in the course of a single afternoon a bed of young leeks that she had raised from seed. She would like to know whether it is fair to ask for a fence through the middle, given that the lease is in both their names and that the tap, which they would both need every evening, stands on what would then be his side of it.""",
        ),
    ),
)

PLAIN: tuple[tuple[Task, tuple[str, ...]], ...] = (
    (
        "email",
        (
            """Dear Professor Lindqvist,

I am writing about the seminar on coastal erosion that you announced for the autumn term. I would like to take part, but the first session overlaps with my work at the museum. Would it be possible to join from the second week on? I have read the first two chapters of the textbook and could hand in a short summary to make up for the missed session.

Thank you for your time. I look forward to hearing from you.

Best regards,
Elias Brandt""",
            """Hi Sandra,

Thanks for sending the figures. I have gone through them and only found two small things: the total in row 14 does not match the sum above it, and the date on the second page should be March, not May. Apart from that everything looks fine to me. If you can correct these by Wednesday, we can send the report out before the weekend.

Let me know if you need anything else.

Best,
Martin""",
            """Dear neighbours,

The water in our building will be turned off on Tuesday between nine and noon, because the valve in the cellar has to be replaced. Please fill a bucket or two beforehand if you need water during that time. The plumber will ring if he has to enter one of the flats. We are sorry for the trouble and hope that the work will not take longer than planned.

Kind regards,
The house management""",
            """Hello Mr Adeyemi,

I received the bicycle on Friday, and it works well. However, the front light that was listed in the advertisement was not in the box. Could you check whether you still have it? If it got lost on the way, I would be happy with a small refund instead. The rest is in very good condition, just as you described it.

Many thanks and best wishes,
Carla""",
        ),
    ),
    (
        "summarization",
        (
            """The article reports that the city of Marrow has begun to replace its street trees with species that tolerate heat. Over the next ten years about 8,000 lindens and maples will be followed by hornbeams and field maples. According to the parks department, a third of the existing trees have been damaged by dry summers. Critics point out that the young trees need more water than the old ones during their first years.""",
            """In this study, researchers examined how well elderly patients remember instructions after leaving hospital. They interviewed 130 people three days after their discharge and found that fewer than half could name all of their medicines. Written plans improved recall, while phone calls made little difference. The authors conclude that hospitals should give every patient a printed plan and review it with a family member.""",
            """The review praises the lead performance and the careful photography of the film but finds the script too long. A subplot about a stolen painting takes up half an hour and leads nowhere. The reviewer recommends the film to viewers who enjoyed the director's earlier work and gives it three stars out of five.""",
            """The author of the post has been offered a job in another city and does not know whether to accept it. The pay is better, and her sister lives nearby, but she would have to leave her choir and a flat that she likes. Her partner could work from anywhere and leaves the decision to her. She has ten days to answer and asks for advice from people who have made a similar move.""",
        ),
    ),
    (
        "email",
        (
            """Hi team,

I hope you had a good weekend. As a quick reminder, the quarterly review will take place on Thursday at 10 a.m. in the large meeting room. Please send me your slides by Wednesday evening so that I can put them together.

The agenda is attached. If there is anything that you would like to add, just let me know.

Best regards,
Priya""",
            """Dear Ms Hartmann,

Thank you for your interest in our workshop. We are pleased to confirm your registration for the course on 12 and 13 May. You will receive the joining instructions about a week before the event. Lunch and coffee are included in the fee, and there is free parking behind the building.

If you have any questions, please do not hesitate to contact us.

Kind regards,
Tobias Klein
Training Office""",
            """Hello Greg,

I wanted to follow up on our conversation about the new supplier. I spoke with two of their customers, and both were satisfied with the quality but mentioned delays during the holiday season. The price is about eight percent lower than what we pay at the moment.

I suggest that we start with a small order and see how it goes. Would you like me to prepare a draft contract?

Best,
Anna""",
            """Dear Mr and Mrs Ruiz,

Your daughter did very well in mathematics this term, and her presentation on bridges was one of the best in the class. In French she still finds it difficult to speak in front of others, although her written work is good. I would recommend that she join the conversation group, which meets every Monday after lunch.

Please feel free to call me if you would like to discuss this further.

Sincerely,
Julie Moreau""",
        ),
    ),
    (
        "summarization",
        (
            """The paper introduces a method for compressing maps so that they can be stored on small devices. Instead of keeping every point of a coastline, it keeps those at which the direction changes and fills in the rest when the map is drawn. On three public data sets the files shrink to about a fifth of their size, with an average error below two metres. The method is slower than existing ones, which the authors hope to improve.""",
            """Lake Oresund is a freshwater lake in the north of the country, formed by a glacier about 11,000 years ago. It covers 38 square kilometres and is up to 74 metres deep. Two rivers feed it, and one leaves it at the southern end, where a mill town grew in the 18th century. Today the lake is known for its perch and for a sailing race that takes place each August.""",
            """Farmers in the valley are asking for help after hail destroyed most of the cherry harvest last week. The storm lasted only fifteen minutes, but some orchards lost every fruit. Insurance covers part of the damage; however, many small farms had not renewed their contracts after a rise in prices. The regional government has promised to decide on emergency payments by the end of the month.""",
            """The poster explains that his flatmate has not paid her share of the heating bill since December. He has asked her twice, and both times she promised to transfer the money within a week. He does not want to lose a friend, but he cannot cover the costs for much longer. He asks whether it would be fair to tell the landlord or whether he should first set a deadline in writing.""",
        ),
    ),
)
